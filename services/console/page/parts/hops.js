/** @typedef {import('@curfew/contracts/reports').RevocationReport} RevocationReport */
/** @typedef {import('@curfew/contracts/reports').Application} Application */

/**
 * One line of the waterfall: what happened from when to when, ms since the acknowledgement.
 *
 * @typedef {object} Hop
 * @property {string} name
 * @property {string} [detail]
 * @property {number} from
 * @property {number | undefined} to undefined: not yet
 * @property {string} kind how its bar looks
 * @property {'good' | 'warning'} [level]
 * @property {string} [says]
 * @property {string} [exposed]
 */

/**
 * What a revocation went through, hop by hop and sidecar by sidecar.
 *
 * @param {RevocationReport} report
 * @returns {Hop[]}
 */
export function hopsOf({ at, appliedAt, announcedAt, sidecars }) {
  const start = Date.parse(at);
  // Clocks of several machines: nothing happens before the acknowledgement.
  const since = (/** @type {string | undefined} */ time) =>
    time === undefined ? undefined : Math.max(0, Date.parse(time) - start);
  const applied = since(appliedAt);
  const announced = since(announcedAt);
  return [
    { name: 'applied in Redis', from: 0, to: applied, kind: 'service' },
    { name: 'announced', from: applied ?? 0, to: announced, kind: 'service' },
    ...sidecars.toSorted(bySoonest).map((one) => {
      const to = since(one.effectiveAt);
      return {
        name: one.service,
        detail: one.instance,
        from: Math.min(announced ?? 0, to ?? Number.POSITIVE_INFINITY),
        to,
        kind: one.by,
        level: one.effective ? /** @type {const} */ ('good') : /** @type {const} */ ('warning'),
        says: one.says,
        exposed: one.exposed === undefined ? '' : `${one.atLeast ? '≥ ' : ''}${one.exposed}`,
      };
    }),
  ];
}

/** As they follow each other; those that are pending come last. @param {Application} a @param {Application} b */
const bySoonest = (a, b) => endOf(a) - endOf(b) || a.service.localeCompare(b.service);

/** @param {Application} one */
const endOf = ({ effectiveAt }) => (effectiveAt === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(effectiveAt));
