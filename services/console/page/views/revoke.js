import { html, nothing } from '/vendor/lit-html/lit-html.js';
import { authorizationOf } from '../credential.js';
import { failureOf } from '../failure.js';
import { icon } from '../icons.js';
import { revocationReport } from '../parts/revocation-report.js';

/** @typedef {import('../model.js').Model} Model */

const title = () => 'Revoke';

/** The operator's credential: here, while the page is open, and nowhere else. */
let authorization = '';
/** @type {{ busy?: boolean, failure?: string, accepted?: string, report?: import('../model.js').RevocationReport }} */
let outcome = {};

/** Ends an account's sessions, and shows when that is so everywhere. @param {Model} model @param {() => void} draw */
function body({ state, route }, draw) {
  const { busy = false, failure, accepted, report } = outcome;
  if (report !== undefined)
    return html`
    ${revocationReport(report, { now: state?.at ?? 0, traceUrl: state?.traceUrl })}
    <p><a href=${`#/revocations/${encodeURIComponent(report.id)}`}>Its own page</a> ·
      <button class="quiet" type="button" @click=${() => set({}, draw)}>Revoke another</button></p>`;
  return html`
    <h1 tabindex="-1" class="title">Revoke</h1>
    <p class="lead">Ends every session of an account, on every service. It takes the credential of a client that may:
      scope <code>revocations:write</code>. The page forgets it when it is closed.</p>
    <form class="form" @submit=${(/** @type {SubmitEvent} */ event) => submit(event, draw)} aria-busy=${busy}>
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
}

/** @param {typeof outcome} to @param {() => void} draw */
function set(to, draw) {
  outcome = to;
  draw();
}

/** @param {SubmitEvent} event @param {() => void} draw */
async function submit(event, draw) {
  event.preventDefault();
  const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
  const [subject, reason, credential] = ['subject', 'reason', 'credential'].map((field) =>
    `${form.get(field) ?? ''}`.trim(),
  );
  if (credential) authorization = authorizationOf(credential);
  set({ busy: true }, draw);
  const answer = await fetch('/api/revocations', {
    method: 'POST',
    credentials: 'omit',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ subject, ...(reason ? { reason } : {}) }),
  }).catch(() => undefined);
  if (answer?.ok) {
    const report = await answer.json();
    set(
      report.sidecars === undefined ? { accepted: `Accepted, not yet effective: event ${report.id}.` } : { report },
      draw,
    );
  } else {
    // A wrong credential is not tried again.
    if (answer?.status === 401 || answer?.status === 403) authorization = '';
    set({ failure: await failureOf(answer) }, draw);
  }
  if (outcome.report !== undefined) /** @type {HTMLElement | null} */ (document.querySelector('h1'))?.focus();
}

/** @type {import('../views.js').View} */
export const revoke = { name: 'revoke', title, body };
