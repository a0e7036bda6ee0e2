/**
 * Colours for a terminal, and plain text for everything else or where `NO_COLOR` is set (no-color.org).
 *
 * @typedef {Readonly<Record<'bold' | 'dim' | 'green' | 'red' | 'cyan', (text: string) => string>>} Paint
 */

const CODES = { bold: [1, 22], dim: [2, 22], green: [32, 39], red: [31, 39], cyan: [36, 39] };

/**
 * @param {{ isTTY?: boolean | undefined }} stream
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Paint}
 */
export function paintFor(stream, env = process.env) {
  const on = stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  const paints = Object.entries(CODES).map(([name, [open, close]]) => [
    name,
    (/** @type {string} */ text) => (on ? `\x1b[${open}m${text}\x1b[${close}m` : text),
  ]);
  return Object.fromEntries(paints);
}
