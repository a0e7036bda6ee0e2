import { html, nothing } from '/vendor/lit-html/lit-html.js';
import { icon } from '../icons.js';
import { exposureOf } from './exposure.js';
import { scopesOf, timeOf, tookOf, traceLink } from './facts.js';
import { waterfall } from './waterfall.js';

/** @typedef {import('../model.js').RevocationReport} RevocationReport */

/** Where a revocation is effective, in one sentence. @param {RevocationReport} report */
function sentenceOf(report) {
  if (report.says !== undefined) return `Effective at once: ${report.says}`;
  if (report.sidecars.length === 0) return 'No sidecar was there to apply it';
  const words = `ffective on ${report.summary} sidecars`;
  if (!report.effective) return `Not everywhere yet: e${words}`;
  return `E${words} after ${tookOf(report)}`;
}

/**
 * One revocation: whether it is effective, what it went through, and what was let through meanwhile.
 *
 * @param {RevocationReport} report
 * @param {{ now: number, traceUrl?: string | undefined }} options
 */
export const revocationReport = (report, { now, traceUrl }) => html`
  <div class="headline ${report.effective ? 'good' : 'warning'}">
    ${icon(report.effective ? 'good' : 'warning')}
    <div>
      <h1 tabindex="-1">${sentenceOf(report)}</h1>
      <ul><li>${exposureOf(report)}</li></ul>
    </div>
  </div>
  <dl class="facts">
    <div><dt>Ends</dt><dd>${scopesOf(report.scopes)}</dd></div>
    <div><dt>Why</dt><dd>${report.why}${report.canary ? ', a canary' : nothing}</dd></div>
    <div><dt>Acknowledged</dt><dd>${timeOf(report.at, now)} UTC</dd></div>
    <div><dt>In the log</dt><dd>partition ${report.partition}, offset ${report.offset}</dd></div>
    <div><dt>Event</dt><dd class="id">${report.id}</dd></div>
    <div><dt>Trace</dt><dd>${traceLink(report.traceId, traceUrl)}</dd></div>
  </dl>
  <section aria-labelledby="hops-title">
    <h2 id="hops-title">Hop by hop, from the bus's acknowledgement</h2>
    ${waterfall(report)}
  </section>
`;
