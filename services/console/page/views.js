import { fleet } from './views/fleet.js';
import { overview } from './views/overview.js';
import { revocation } from './views/revocation.js';
import { revocations } from './views/revocations.js';
import { revoke } from './views/revoke.js';
import { search } from './views/search.js';
import { session } from './views/session.js';
import { subject } from './views/subject.js';
import { unknown } from './views/unknown.js';

/**
 * A view of the page.
 *
 * @typedef {object} View
 * @property {string} name as the navigation has it
 * @property {(model: import('./model.js').Model) => string} title
 * @property {(model: import('./model.js').Model, draw: () => void) => unknown} body
 * @property {(route: import('./model.js').Route) => string | undefined} [asks] what of the console's API it shows
 */

/** @param {import('./model.js').Route} route @returns {View} */
export function viewOf({ view, id }) {
  if (view === '') return overview;
  if (view === 'fleet') return fleet;
  if (view === 'revocations') return id === '' ? revocations : revocation;
  if (view === 'revoke') return revoke;
  if (view === 'search') return search;
  if (view === 'subjects' && id !== '') return subject;
  if (view === 'sessions' && id !== '') return session;
  return unknown;
}
