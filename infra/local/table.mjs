import { stripVTControlCharacters } from 'node:util';

/**
 * @typedef {object} Column
 * @property {string} title
 * @property {'left' | 'right'} [align] default left
 */

/** Colours have no width. */
const widthOf = (/** @type {string} */ text) => [...stripVTControlCharacters(text)].length;

/**
 * A table in aligned columns, with a line under its titles.
 *
 * @param {readonly Column[]} columns
 * @param {readonly (readonly string[])[]} rows a cell that is missing is empty; its text may be coloured
 * @returns {string} without a newline at the end
 */
export function formatTable(columns, rows) {
  const widths = columns.map(({ title }, at) => Math.max(widthOf(title), ...rows.map((row) => widthOf(row[at] ?? ''))));
  const line = (/** @type {readonly string[]} */ cells) =>
    columns
      .map(({ align }, at) => {
        const cell = cells[at] ?? '';
        const pad = ' '.repeat((widths[at] ?? 0) - widthOf(cell));
        return align === 'right' ? pad + cell : cell + pad;
      })
      .join('  ')
      .trimEnd();
  return [
    line(columns.map(({ title }) => title)),
    line(widths.map((width) => '─'.repeat(width))),
    ...rows.map(line),
  ].join('\n');
}
