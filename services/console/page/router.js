/**
 * Where a view is, as a link has it.
 *
 * @param {readonly string[]} parts
 * @param {Readonly<Record<string, string>>} [query]
 */
export function linkTo(parts, query = {}) {
  const search = new URLSearchParams(query).toString();
  return `#/${parts.map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`;
}

/** The view that the address names. @returns {import('./model.js').Route} */
export function currentRoute() {
  const [path = '', search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [view = '', id = ''] = path.split('/').map(decoded);
  return { view, id, query: new URLSearchParams(search) };
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
