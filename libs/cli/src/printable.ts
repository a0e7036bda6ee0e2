/** Controls (C0, C1, DEL), what cannot be seen or turns the direction of text, and what ends a line or is half a letter. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const escaped = (found: string): string =>
  found
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/** What a terminal would obey or hide, written as JSON may write it: `\u001b`. Within JSON it means the same. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, escaped);

/** A copy of a JSON document whose strings are printable. The names of its members are Curfew's own. */
export const printableIn = <Document>(document: Document): Document =>
  JSON.parse(JSON.stringify(document), (_name, value) => (typeof value === 'string' ? printable(value) : value));
