// What the server and the page say the same way.

/** A time of day, UTC: `03:12:05`. @param {number} ms since the epoch */
export const clock = (ms) => new Date(ms).toISOString().slice(11, 19);

/** A span of time as people read it: `3.1 ms`, `42 ms`, `2 s`, `1 min 5 s`, `2 h 5 min`. @param {number} ms */
export function duration(ms) {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const [large, small, unit, part] = ms < 3_600_000 ? [60, 1, 'min', 's'] : [3600, 60, 'h', 'min'];
  const seconds = Math.round(ms / 1000);
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${unit}${rest === 0 ? '' : ` ${rest} ${part}`}`;
}

/** `1 sidecar`, `2 sidecars`. @param {number} number @param {string} what */
export const count = (number, what) => `${number} ${what}${number === 1 ? '' : 's'}`;

/** `orders`, `orders and payments`, `orders, payments and 3 more`. @param {readonly string[]} names */
export function list(names) {
  const shown = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} more`] : names;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
