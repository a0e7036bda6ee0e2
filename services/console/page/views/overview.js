import { html } from '/vendor/lit-html/lit-html.js';
import { icon } from '../icons.js';
import { propagationChart, sessionsChart } from '../parts/charts.js';
import { ago, letThrough, tookOf } from '../parts/facts.js';
import { health } from '../parts/health.js';
import { revocationTable } from '../parts/revocation-table.js';
import { sidecarTable } from '../parts/sidecar-table.js';
import { linkTo } from '../router.js';
import { duration } from '../words.js';

/** @typedef {import('../model.js').Model} Model */
/** @typedef {import('../model.js').State} State */

/** @param {Model} model */
const title = ({ state }) => state?.headline.text ?? 'Overview';

/** Is every revocation effective everywhere, and if not, where not. @param {Model} model */
function body(model) {
  const state = /** @type {State} */ (model.state);
  const { headline, revocations, at, traceUrl } = state;
  return html`
    <div class="headline ${headline.level}">
      ${icon(headline.level)}
      <div>
        <h1 tabindex="-1">${headline.text}</h1>
        <ul>${headline.details.map((detail) => html`<li>${detail}</li>`)}</ul>
      </div>
    </div>
    <dl class="figures">${figures(state)}</dl>
    <div class="halves">
      <section aria-labelledby="fleet-title">
        <h2 id="fleet-title"><a href="#/fleet">Fleet</a></h2>
        ${sidecarTable(state, { whole: false })}
      </section>
      ${propagationChart(model)}
    </div>
    <section aria-labelledby="recent-title">
      <h2 id="recent-title"><a href="#/revocations">Recent revocations</a></h2>
      ${revocationTable(revocations, { now: at, traceUrl, none: 'None in the last hour.' })}
    </section>
    <div class="halves">${sessionsChart(model)}${health(state)}</div>
  `;
}

/** @param {State} state */
function figures({ hearing, open, live, propagation, letThrough: let_, lastCanary, at, boundMs }) {
  const ms = (/** @type {number | undefined} */ value) => (value === undefined ? '–' : duration(value));
  const canary =
    lastCanary === undefined
      ? 'none seen'
      : html`<a href=${linkTo(['revocations', lastCanary.id])}>${lastCanary.summary}${
          lastCanary.effective ? ` after ${tookOf(lastCanary)}` : ', not effective yet'
        }</a>`;
  return [
    figure('Sidecars live', html`${hearing.failure === undefined ? live : '?'} <small>of ${open}</small>`, ''),
    figure(
      'Propagation p99',
      ms(propagation.p99),
      `p50 ${ms(propagation.p50)} · p99.9 ${ms(propagation.p999)} · bound ${ms(boundMs || undefined)}`,
    ),
    figure(
      'Let through',
      letThrough(let_.count, let_.atLeast),
      'requests in the last hour, before a revocation was applied',
    ),
    figure('Last canary', canary, lastCanary === undefined ? '' : ago(lastCanary.at, at)),
  ];
}

/** @param {string} name @param {unknown} value @param {string} words */
const figure = (name, value, words) =>
  html`<div><dt>${name}</dt><dd>${value}</dd><dd class="quiet">${words}</dd></div>`;

/** @type {import('../views.js').View} */
export const overview = { name: 'overview', title, body };
