import { html, svg } from '/vendor/lit-html/lit-html.js';
import { icon } from '../icons.js';
import { duration } from '../words.js';
import { hopsOf } from './hops.js';

/** @typedef {import('../model.js').RevocationReport} RevocationReport */
/** @typedef {import('./hops.js').Hop} Hop */

/** @param {RevocationReport} report */
export function waterfall(report) {
  const hops = hopsOf(report);
  const end = Math.max(1, ...hops.map(({ to = 0 }) => to));
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label="Hops and sidecars">
      <table class="waterfall">
        <thead>
          <tr>
            <th scope="col">Hop</th>
            <th scope="col" class="bars"><span>0</span><span>${duration(end)}</span></th>
            <th scope="col" class="number">At</th>
            <th scope="col" class="number roomy">Took</th>
            <th scope="col" class="number">Let through</th>
            <th scope="col" class="roomy">Says</th>
          </tr>
        </thead>
        <tbody>${hops.map((hop) => row(hop, end))}</tbody>
      </table>
    </div>
  `;
}

/** @param {Hop} hop @param {number} end */
const row = ({ name, detail, from, to, kind, level, says, exposed }, end) => html`<tr>
  <th scope="row"><span class="state">${level === undefined ? '' : icon(level)}${name}</span>
    ${detail === undefined ? '' : html`<span class="id quiet roomy">${detail}</span>`}
    ${says === undefined ? '' : html`<span class="cramped quiet">${says}</span>`}</th>
  <td class="bars">${bar(from, to, kind, end)}</td>
  <td class="number">${to === undefined ? 'not yet' : `+${duration(to)}`}</td>
  <td class="number roomy">${to === undefined ? '' : duration(Math.max(0, to - from))}</td>
  <td class="number">${exposed ?? ''}</td>
  <td class="roomy">${says ?? ''}</td>
</tr>`;

/** @param {number} from @param {number | undefined} to @param {string} kind @param {number} end */
function bar(from, to, kind, end) {
  const start = Number.isFinite(from) ? (100 * from) / end : 0;
  const width = Math.max(0.8, to === undefined ? 100 - start : (100 * (to - from)) / end);
  return html`<svg class="hop" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<rect class=${to === undefined ? 'pending' : kind} x=${Math.min(start, 99.2)} y="1"
      width=${width} height="8"/>`}
  </svg>`;
}
