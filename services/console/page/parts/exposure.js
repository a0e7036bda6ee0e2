import { count } from '../words.js';

/**
 * What was let through before it was applied, in one sentence. A sidecar that was silent has not said.
 *
 * @param {import('@curfew/contracts/reports').RevocationReport} report
 */
export function exposureOf({ exposed, atLeast, sidecars }) {
  const unsaid = sidecars.filter((one) => one.exposed === undefined).length;
  const known =
    exposed === 0
      ? 'No request was let through'
      : `${atLeast ? 'At least ' : ''}${count(exposed, 'request')} let through before it was applied`;
  const unknown = atLeast && exposed === 0 && unsaid === 0 ? ', as far as is known' : '';
  return `${known}${unknown}${unsaid === 0 ? '' : `; ${unsaid} of ${count(sidecars.length, 'sidecar')} has not said`}.`;
}
