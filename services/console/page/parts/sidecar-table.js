import { repeat } from '/vendor/lit-html/directives/repeat.js';
import { html, nothing } from '/vendor/lit-html/lit-html.js';
import { icon, stateOf } from '../icons.js';
import { duration } from '../words.js';
import { ago, timeOf } from './facts.js';
import { heatStrip, oldestOf } from './heat-strip.js';

/** @typedef {import('../model.js').Sidecar} Sidecar */
/** @typedef {import('../model.js').State} State */

/**
 * The fleet, a row for each sidecar.
 *
 * @param {State} state
 * @param {{ whole: boolean }} options whole: with what only the view of the fleet has room for
 */
export const sidecarTable = ({ sidecars, at, hearing }, { whole }) => html`
  <div class="scroll" tabindex="0" role="group" aria-label="Sidecars">
    <table>
      <thead>
        <tr>
          <th scope="col">Service</th>
          ${whole ? html`<th scope="col">Instance</th>` : nothing}
          <th scope="col">State</th>
          <th scope="col">View age per partition</th>
          <th scope="col" class="number">Oldest</th>
          <th scope="col" class="number roomy">p99</th>
          ${whole ? more : nothing}
        </tr>
      </thead>
      <tbody>
        ${repeat(
          sidecars,
          ({ instance, startedAt }) => `${startedAt} ${instance}`,
          (sidecar) => row(sidecar, { at, whole, known: hearing.failure === undefined }),
        )}
        ${sidecars.length === 0 ? html`<tr><td colspan="9" class="quiet">No sidecar has reported.</td></tr>` : nothing}
      </tbody>
    </table>
  </div>
`;

const more = html`
  <th scope="col" class="number">Lag</th>
  <th scope="col" class="number">Last heard</th>
  <th scope="col">Refuses by itself</th>
  <th scope="col">Started</th>
`;

/**
 * @param {Sidecar} sidecar
 * @param {{ at: number, whole: boolean, known: boolean }} options known: it is so now, not only then
 */
function row(sidecar, { at, whole, known }) {
  const { service, instance, state, propagation, lagRecords, lastReceiptAt, leaseUntil, startedAt, boundMs } = sidecar;
  const oldest = oldestOf(sidecar);
  const mute = state === 'silent' || state === 'gone';
  const dim = mute || !known;
  const p99 = propagation?.p99;
  return html`<tr class=${dim ? 'dim' : ''}>
    <th scope="row">${service}</th>
    ${whole ? html`<td class="id">${instance}</td>` : nothing}
    <td>${known ? stateOf(state) : html`<span class="state">${icon('unknown')}${state} then</span>`}</td>
    <td>${heatStrip(sidecar)}</td>
    <td class="number">${oldest === undefined ? '' : duration(oldest)}</td>
    <td class="number roomy">${p99 === undefined ? '' : duration(p99)}</td>
    ${
      whole
        ? html`
          <td class="number">${lagRecords ?? ''}</td>
          <td class="number">${ago(lastReceiptAt, at)}</td>
          <td>${mute ? html`since ${timeOf(leaseUntil, at)}` : `after ${duration(boundMs)} of silence`}</td>
          <td>${timeOf(startedAt, at)}</td>`
        : nothing
    }
  </tr>`;
}
