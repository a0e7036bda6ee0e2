import { html } from '/vendor/lit-html/lit-html.js';
import { propagationChart } from '../parts/charts.js';
import { sidecarTable } from '../parts/sidecar-table.js';
import { duration } from '../words.js';

/** @typedef {import('../model.js').Model} Model */
/** @typedef {import('../model.js').State} State */

const title = () => 'Fleet';

/** Every sidecar, and how far it is. @param {Model} model */
function body(model) {
  const state = /** @type {State} */ (model.state);
  return html`
    <h1 tabindex="-1" class="title">Fleet</h1>
    <p class="lead">
      ${state.live} of ${state.open} live${state.hearing.failure === undefined ? '' : ' then'}. A bar is the age of one
      partition's view; at the top it is as old as the bound allows${
        state.boundMs > 0 ? ` (${duration(state.boundMs)})` : ''
      }, and strict routes refuse. p99 is from acknowledgement to application on that sidecar, over five minutes.
    </p>
    ${sidecarTable(state, { whole: true })} ${propagationChart(model)}
  `;
}

/** @type {import('../views.js').View} */
export const fleet = { name: 'fleet', title, body };
