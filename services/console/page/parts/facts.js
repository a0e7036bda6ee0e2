import { html } from '/vendor/lit-html/lit-html.js';
import { clock, duration } from '../words.js';

/** @typedef {import('../model.js').RevocationSummary} RevocationSummary */

const SCOPES = new Map([
  ['u', 'subject'],
  ['t', 'tenant'],
  ['s', 'session'],
]);

/** A scope as a link to what is known of it: `u:alice` is the subject alice. @param {string} scope */
export function scopeOf(scope) {
  if (scope === 'r') return html`<span>everybody</span>`;
  const [kind = ''] = scope.split(':', 1);
  const id = scope.slice(kind.length + 1);
  const href = { u: '#/subjects/', s: '#/sessions/' }[kind];
  const name = html`<span class="kind">${SCOPES.get(kind) ?? kind}</span> <span class="id">${id}</span>`;
  return href === undefined ? html`<span>${name}</span>` : html`<a href=${href + encodeURIComponent(id)}>${name}</a>`;
}

/** @param {readonly string[]} scopes */
export const scopesOf = (scopes) => scopes.map((scope) => html`<span class="scope">${scopeOf(scope)}</span>`);

/** A time of today is a time; another has its date. @param {string | undefined} time RFC 3339 @param {number} now */
export function timeOf(time, now) {
  if (time === undefined) return '';
  const ms = Date.parse(time);
  const today = new Date(now).toISOString().slice(0, 10);
  const [date = ''] = time.split('T');
  return html`<time datetime=${time}>${date === today ? clock(ms) : `${date} ${clock(ms)}`}</time>`;
}

/** How long ago, in whole seconds. @param {string} time RFC 3339 @param {number} now */
export const ago = (time, now) => `${duration(Math.max(0, Math.round((now - Date.parse(time)) / 1000)) * 1000)} ago`;

/** How long it took until every sidecar had it; empty where it does not yet. @param {RevocationSummary} report */
export const tookOf = ({ at, effective, effectiveAt }) =>
  effective && effectiveAt !== undefined ? duration(Math.max(0, Date.parse(effectiveAt) - Date.parse(at))) : '';

/** Requests let through meanwhile: the usual answer is 0. @param {number} exposed @param {boolean} [atLeast] */
export const letThrough = (exposed, atLeast) => `${atLeast ? '≥ ' : ''}${exposed}`;

/**
 * Opens a trace in the tracing tool, where there is one.
 *
 * @param {string | undefined} traceId
 * @param {string | undefined} traceUrl
 */
export function traceLink(traceId, traceUrl) {
  if (traceId === undefined) return html`<span class="quiet">none</span>`;
  if (traceUrl === undefined) return html`<span class="id">${traceId}</span>`;
  const href = traceUrl.replaceAll('{traceId}', encodeURIComponent(traceId));
  return html`<a href=${href} target="_blank" rel="noreferrer">open the trace</a>`;
}
