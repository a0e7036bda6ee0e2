import { FORGET_AFTER_MS, type Sidecar, type Silence, stateOf } from './fleet.ts';
import type { Outcome, Revocation } from './revocation.ts';

/**
 * What became of a revocation on a sidecar. It is effective there once the sidecar has applied it, or has been silent for
 * its bound after the event and its last word: by the guarantee it then accepts nothing of before. The clocks of broker,
 * sidecar and session service may differ by the skew that the bound allows for, and so may the times told.
 *
 * @returns undefined where the sidecar does not count: it began after the announcement (it reads that before it serves), it
 *   was closed, or it had been silent for so long that it is forgotten.
 */
export function outcomeOf(revocation: Revocation, sidecar: Sidecar, now: number): Outcome | undefined {
  const { at, announcedAt } = revocation;
  const { service, instance, state, boundMs } = sidecar.last;
  const closedAt = state === 'closed' ? sidecar.last.at : Number.POSITIVE_INFINITY;
  if (sidecar.firstAt > Math.max(at, announcedAt) || isForgotten(sidecar, at)) return undefined;

  const proof = proofOf(revocation, sidecar);
  const lease = leaseOf(sidecar, at);
  const { effectiveAt: appliedSince, ...applied } = proof ?? {};
  const about = { service, instance, state: stateOf(sidecar, now), ...applied };
  const provenAt = appliedSince ?? Number.POSITIVE_INFINITY;
  if (Math.min(provenAt, lease.until) > closedAt) return undefined;
  if (provenAt <= lease.until) return { ...about, by: 'receipt', effectiveAt: provenAt };
  // As much time has passed here as well: the broker's clock, which dates the event, may be another.
  if (Math.max(lease.until, announcedAt + boundMs) <= now)
    return { ...about, by: 'lease', effectiveAt: lease.until, silentSince: lease.since };
  return { ...about, by: 'pending' };
}

/** Until when a sidecar may go on accepting by what it knew before, unless it says more, ms since the epoch. */
export const leaseUntil = ({ last }: Sidecar): number => last.at + last.boundMs;

/** The silences, and the one that lasts. */
const silencesOf = ({ silences, last }: Sidecar): readonly Silence[] => [
  ...silences,
  { from: last.at, to: Number.POSITIVE_INFINITY },
];

const isForgotten = (sidecar: Sidecar, at: number): boolean =>
  silencesOf(sidecar).some(({ from, to }) => from <= at - FORGET_AFTER_MS && to > at);

function leaseOf(sidecar: Sidecar, at: number): { readonly since: number; readonly until: number } {
  const { boundMs } = sidecar.last;
  for (const { from, to } of silencesOf(sidecar)) {
    const until = Math.max(from, at) + boundMs;
    if (until <= to) return { since: from, until };
  }
  return { since: 0, until: Number.POSITIVE_INFINITY };
}

/**
 * That it was applied: by its name, or by a later place in the same partition, as everything is announced in order. An
 * earlier event may have had the same name: that is unique to its issuer alone.
 */
function proofOf({ id, partition, offset, at }: Revocation, { applied, last }: Sidecar) {
  const event = applied.get(id);
  if (event !== undefined && event.partition === partition && event.offset >= offset)
    return {
      effectiveAt: Math.max(event.at, at),
      appliedAt: event.at,
      exposed: event.exposed,
      ...(event.atLeast ? { atLeast: true as const } : {}),
    };
  return (last.partitions[partition]?.offset ?? -1) >= offset ? { effectiveAt: Math.max(last.at, at) } : undefined;
}
