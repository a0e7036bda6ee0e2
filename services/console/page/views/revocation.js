import { html } from '/vendor/lit-html/lit-html.js';
import { failed } from '../parts/failed.js';
import { revocationReport } from '../parts/revocation-report.js';

/** @typedef {import('../model.js').Model} Model */

const title = () => 'Revocation';

/** @param {import('../model.js').Route} route */
const asks = ({ id }) => `/api/revocations/${encodeURIComponent(id)}`;

/** @param {Model} model */
const body = ({ state, lookUp }) => html`
  <p class="path"><a href="#/revocations">Revocations</a></p>
  ${failed(lookUp)}
  ${
    lookUp.value === undefined
      ? html`<h1 tabindex="-1" class="title">Revocation</h1>`
      : revocationReport(lookUp.value, { now: state?.at ?? 0, traceUrl: state?.traceUrl })
  }
`;

/** @type {import('../views.js').View} */
export const revocation = { name: 'revocations', title, asks, body };
