import { html } from '/vendor/lit-html/lit-html.js';
import { scopeOf } from '../parts/facts.js';
import { failed } from '../parts/failed.js';
import { revocationTable } from '../parts/revocation-table.js';
import { sessionTable } from '../parts/session-table.js';

/** @typedef {import('../model.js').Model} Model */

const title = () => 'Session';

/** @param {import('../model.js').Route} route */
const asks = ({ id }) => `/api/sessions/${encodeURIComponent(id)}`;

/** A session, and what ended it. @param {Model} model */
function body({ state, route, lookUp }) {
  const now = state?.at ?? 0;
  const { session, revocations = [] } = lookUp.value ?? {};
  return html`
    <h1 tabindex="-1" class="title"><span class="kind">session</span> <span class="id">${route.id}</span></h1>
    ${failed(lookUp)}
    ${
      lookUp.value === undefined
        ? ''
        : html`
          <p class="lead">${session === undefined ? 'It is over.' : html`Of ${scopeOf(`u:${session.subject}`)}`}</p>
          ${session === undefined ? '' : sessionTable([session], now)}
          <section aria-labelledby="ended-title">
            <h2 id="ended-title">Revocations of this session alone</h2>
            ${revocationTable(revocations, { now, traceUrl: state?.traceUrl, none: 'None is remembered.' })}
          </section>`
    }
  `;
}

/** @type {import('../views.js').View} */
export const session = { name: 'sessions', title, asks, body };
