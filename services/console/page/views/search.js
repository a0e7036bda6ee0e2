import { html, nothing } from '/vendor/lit-html/lit-html.js';
import { failed } from '../parts/failed.js';
import { linkTo } from '../router.js';

/** @typedef {import('../model.js').Model} Model */

const title = () => 'Search';

const PLACES = { revocation: 'revocations', session: 'sessions', subject: 'subjects' };

/** @param {import('../model.js').Route} route */
const asks = ({ query }) => `/api/search?${new URLSearchParams({ q: query.get('q') ?? '' })}`;

/** What an id may be; where it is one thing only, straight to it. @param {Model} model */
function body({ route, lookUp }) {
  /** @type {readonly { kind: keyof typeof PLACES, id: string }[] | undefined} */
  const found = lookUp.value?.found;
  const [first, ...others] = found ?? [];
  if (first !== undefined && others.length === 0) location.replace(linkTo([PLACES[first.kind], first.id]));
  return html`
    <h1 tabindex="-1" class="title">Search for <span class="id">${route.query.get('q')}</span></h1>
    ${failed(lookUp)}
    ${
      found?.length === 0
        ? html`<p class="lead">
            No event, session or subject of this name is known. Revocations are remembered for a day.</p>`
        : nothing
    }
    <ul class="found">
      ${found?.map(
        ({ kind, id }) => html`<li>
        <a href=${linkTo([PLACES[kind], id])}><span class="kind">${kind}</span> <span class="id">${id}</span></a>
      </li>`,
      )}
    </ul>
  `;
}

/** @type {import('../views.js').View} */
export const search = { name: 'search', title, asks, body };
