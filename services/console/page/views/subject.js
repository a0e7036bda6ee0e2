import { html } from '/vendor/lit-html/lit-html.js';
import { icon } from '../icons.js';
import { timeOf } from '../parts/facts.js';
import { failed } from '../parts/failed.js';
import { revocationTable } from '../parts/revocation-table.js';
import { sessionTable } from '../parts/session-table.js';
import { linkTo } from '../router.js';

/** @typedef {import('../model.js').Model} Model */

/** @param {Model} model */
const title = ({ route }) => `Subject ${route.id}`;

/** @param {import('../model.js').Route} route */
const asks = ({ id }) => `/api/subjects/${encodeURIComponent(id)}`;

/** An account: its version, its sessions, and what ended them. @param {Model} model */
function body({ state, route, lookUp }) {
  const now = state?.at ?? 0;
  return html`
    <h1 tabindex="-1" class="title"><span class="kind">subject</span> <span class="id">${route.id}</span></h1>
    ${failed(lookUp)} ${lookUp.value === undefined ? '' : found(lookUp.value, now, state?.traceUrl)}
  `;
}

/** @param {any} value @param {number} now @param {string | undefined} traceUrl */
const found = ({ subject, version, sessions, revocations }, now, traceUrl) => html`
  <dl class="facts">
    <div><dt>Below it, a session must renew</dt><dd>${versionOf(version.current, now)}</dd></div>
    <div><dt>Below it, a session is revoked</dt><dd>${versionOf(version.floor, now)}</dd></div>
    <div><dt>May sign in</dt>
      <dd>${version.blocked ? html`<span class="state">${icon('warning')}no: disabled</span>` : 'yes'}</dd></div>
    <div><dt>Act</dt><dd><a class="button" href=${linkTo(['revoke'], { subject })}>Revoke…</a></dd></div>
  </dl>
  <section aria-labelledby="open-title"><h2 id="open-title">Sessions</h2>${sessionTable(sessions, now)}</section>
  <section aria-labelledby="ended-title">
    <h2 id="ended-title">Revocations</h2>
    ${revocationTable(revocations, { now, traceUrl, none: 'None is remembered.' })}
  </section>
`;

/** A version is the time of its event, unless two events had the same. @param {number} version @param {number} now */
const versionOf = (version, now) =>
  version === 0
    ? 'no event yet'
    : html`${timeOf(new Date(version).toISOString(), now)} <span class="id quiet">${version}</span>`;

/** @type {import('../views.js').View} */
export const subject = { name: 'subjects', title, asks, body };
