import { repeat } from '/vendor/lit-html/directives/repeat.js';
import { html, nothing } from '/vendor/lit-html/lit-html.js';
import { icon } from '../icons.js';
import { linkTo } from '../router.js';
import { letThrough, scopesOf, timeOf, tookOf, traceLink } from './facts.js';

/** @typedef {import('../model.js').RevocationSummary} RevocationSummary */

/**
 * Revocations, newest first.
 *
 * @param {readonly RevocationSummary[]} revocations
 * @param {{ now: number, traceUrl?: string | undefined, none?: string }} options
 */
export const revocationTable = (revocations, { now, traceUrl, none = 'There is none.' }) => html`
  <div class="scroll" tabindex="0" role="group" aria-label="Revocations">
    <table>
      <thead>
        <tr>
          <th scope="col">At</th>
          <th scope="col">Ends</th>
          <th scope="col" class="roomy">Why</th>
          <th scope="col">Effective</th>
          <th scope="col" class="number">After</th>
          <th scope="col" class="number">Let through</th>
          <th scope="col" class="roomy">Trace</th>
        </tr>
      </thead>
      <tbody>
        ${repeat(
          revocations,
          ({ id }) => id,
          (report) => row(report, now, traceUrl),
        )}
        ${revocations.length === 0 ? html`<tr><td colspan="7" class="quiet">${none}</td></tr>` : nothing}
      </tbody>
    </table>
  </div>
`;

/** @param {RevocationSummary} report @param {number} now @param {string | undefined} traceUrl */
const row = (report, now, traceUrl) => html`<tr>
  <th scope="row"><a href=${linkTo(['revocations', report.id])}>${timeOf(report.at, now)}</a></th>
  <td class="ends">${scopesOf(report.scopes)}${report.canary ? html` <span class="kind">canary</span>` : nothing}</td>
  <td class="roomy">${report.why}</td>
  <td><span class="state">${icon(report.effective ? 'good' : 'warning')}${report.summary}</span></td>
  <td class="number">${tookOf(report)}</td>
  <td class="number ${report.exposed > 0 ? 'let' : ''}">${letThrough(report.exposed, report.atLeast)}</td>
  <td class="roomy">${traceLink(report.traceId, traceUrl)}</td>
</tr>`;
