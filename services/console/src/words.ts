/** A time of day, UTC: `03:12:05`. */
export const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 19);

/** A span of time as people read it: `3.1 ms`, `42 ms`, `2 s`, `1 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000) % 60;
  return `${Math.floor(Math.round(ms / 1000) / 60)} min${seconds === 0 ? '' : ` ${seconds} s`}`;
}

/** `1 sidecar`, `2 sidecars`. */
export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** `orders`, `orders and payments`, `orders, payments and 3 more`. */
export function list(names: readonly string[]): string {
  const shown = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} more`] : names;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
