import { html, svg } from '/vendor/lit-html/lit-html.js';
import { duration } from '../words.js';

/** @typedef {import('../model.js').Sidecar} Sidecar */

const HEIGHT = 20;

/** The share of the bound that a view's age has used up, in words that CSS colours. @param {number} share */
const heatOf = (share) => (share > 1 ? 'over' : share > 0.8 ? 'near' : share > 0.5 ? 'aging' : 'fresh');

/** The age of the oldest view of a sidecar, ms; undefined where it has none. @param {Sidecar} sidecar */
export const oldestOf = ({ ages }) => (ages.length === 0 ? undefined : Math.max(...ages));

/**
 * The age of each partition's view, as bars that reach the top at the bound.
 *
 * @param {Sidecar} sidecar
 */
export function heatStrip(sidecar) {
  const { ages, boundMs } = sidecar;
  const oldest = oldestOf(sidecar);
  if (oldest === undefined) return html`<span class="quiet">no view yet</span>`;
  const label =
    `Oldest of ${ages.length} views: ${duration(oldest)}, partition ${ages.indexOf(oldest)}, ` +
    `of a bound of ${duration(boundMs)}`;
  const bars = ages.map((ageMs, partition) => {
    const share = Math.min(1, Math.max(0.06, ageMs / boundMs));
    return svg`<rect class=${heatOf(ageMs / boundMs)} x=${partition} y=${HEIGHT * (1 - share)} width="0.8"
      height=${HEIGHT * share}><title>partition ${partition}: ${duration(ageMs)}</title></rect>`;
  });
  return html`<svg class="heat" role="img" aria-label=${label} viewBox="0 0 ${ages.length} ${HEIGHT}"
    preserveAspectRatio="none">${bars}</svg>`;
}
