import { stripVTControlCharacters } from 'node:util';

export interface Column {
  readonly title: string;
  /** Default `left`. */
  readonly align?: 'left' | 'right';
}

/** Colours have no width. */
const widthOf = (text: string): number => [...stripVTControlCharacters(text)].length;

/**
 * A table in aligned columns, with a line under its titles, without a newline at the end. Cells may be coloured.
 *
 * @param rows a cell that is missing is empty.
 */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, at) => Math.max(widthOf(title), ...rows.map((row) => widthOf(row[at] ?? ''))));
  const line = (cells: readonly string[]): string =>
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
