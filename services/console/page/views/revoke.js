import { keyed } from '/vendor/lit-html/directives/keyed.js';
import { html, nothing } from '/vendor/lit-html/lit-html.js';
import { authorizationOf } from '../credential.js';
import { failureOf } from '../failure.js';
import { icon } from '../icons.js';
import { revocationReport } from '../parts/revocation-report.js';

/** @typedef {import('../model.js').Model} Model */
/** @typedef {import('../model.js').Route} Route */

const title = () => 'Revoke';

/** Longest wait for an answer, ms: the console holds it for ten seconds. */
const LIMIT_MS = 30_000;

/** The operator's credential: here, while the page is open, and nowhere else. */
let authorization = '';

/**
 * What became of what was asked.
 *
 * @typedef {object} Outcome
 * @property {boolean} [busy]
 * @property {string} [failure]
 * @property {string} [accepted]
 * @property {import('../model.js').RevocationReport} [report]
 */

/** By the route that it was asked on, which is another whenever somebody comes here. @type {WeakMap<Route, Outcome>} */
const outcomes = new WeakMap();

/** Ends an account's sessions, and shows when that is so everywhere. @param {Model} model @param {() => void} draw */
function body({ state, route }, draw) {
  const { report, ...outcome } = outcomes.get(route) ?? {};
  if (report === undefined) return keyed(route, form(route, outcome, draw));
  return html`
    ${revocationReport(report, { now: state?.at ?? 0, traceUrl: state?.traceUrl })}
    <p><a href=${`#/revocations/${encodeURIComponent(report.id)}`}>Its own page</a> ·
      <button class="quiet" type="button" @click=${() => set(route, {}, draw)}>Revoke another</button></p>`;
}

/** @param {Route} route @param {Outcome} outcome @param {() => void} draw */
const form = (route, { busy = false, failure, accepted }, draw) => html`
    <h1 tabindex="-1" class="title">Revoke</h1>
    <p class="lead">Ends every session of an account, on every service. It takes the credential of a client that may:
      scope <code>revocations:write</code>. The page forgets it when it is closed.</p>
    <form class="form" @submit=${(/** @type {SubmitEvent} */ event) => submit(event, route, draw)} aria-busy=${busy}>
      <label>Subject
        <input name="subject" required maxlength="256" autocomplete="off" spellcheck="false"
          .value=${route.query.get('subject') ?? ''}></label>
      <label>Reason <span class="quiet">for whoever reads the log; optional</span>
        <input name="reason" maxlength="1024" autocomplete="off"></label>
      ${
        authorization === ''
          ? html`<label>Credential <span class="quiet">id:secret, or a client assertion</span>
              <input name="credential" type="password" required autocomplete="off"></label>`
          : html`<p>The credential given before is used. <button class="quiet" type="button" @click=${() => {
              authorization = '';
              draw();
            }}>Forget it</button></p>`
      }
      <button class="act" ?disabled=${busy}>
        ${busy ? 'Waiting until it is effective…' : 'Revoke all sessions'}
      </button>
      ${failure === undefined ? nothing : html`<p class="note" role="alert">${icon('bad')}${failure}</p>`}
      ${accepted === undefined ? nothing : html`<p class="note" role="alert">${icon('warning')}${accepted}</p>`}
    </form>
  `;

/** @param {Route} route @param {Outcome} outcome @param {() => void} draw */
function set(route, outcome, draw) {
  outcomes.set(route, outcome);
  draw();
}

/** @param {SubmitEvent} event @param {Route} route @param {() => void} draw */
async function submit(event, route, draw) {
  event.preventDefault();
  const element = /** @type {HTMLFormElement} */ (event.target);
  const values = new FormData(element);
  const [subject, reason, credential] = ['subject', 'reason', 'credential'].map((field) =>
    `${values.get(field) ?? ''}`.trim(),
  );
  if (credential) authorization = authorizationOf(credential);
  set(route, { busy: true }, draw);
  const answer = await fetch('/api/revocations', {
    method: 'POST',
    credentials: 'omit',
    signal: AbortSignal.timeout(LIMIT_MS),
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ subject, ...(reason ? { reason } : {}) }),
  }).catch(() => undefined);
  if (!answer?.ok) {
    // A wrong credential is not tried again.
    if (answer?.status === 401 || answer?.status === 403) authorization = '';
    return set(route, { failure: await failureOf(answer) }, draw);
  }
  const report = await answer.json();
  if (report.sidecars === undefined)
    return set(route, { accepted: `Accepted, not yet effective: event ${report.id}.` }, draw);
  const shown = element.isConnected;
  set(route, { report }, draw);
  if (shown) /** @type {HTMLElement | null} */ (document.querySelector('h1'))?.focus();
}

/** @type {import('../views.js').View} */
export const revoke = { name: 'revoke', title, body };
