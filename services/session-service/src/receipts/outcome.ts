import { leaseUntil, type Sidecar, stateOf } from './fleet.ts';
import type { Outcome, Revocation } from './revocation.ts';

/** How far clocks may differ, ms, as the bound allows for: as the sidecars' `maxClockSkewMs` by default. */
export const MAX_CLOCK_SKEW_MS = 250;

/**
 * What became of a revocation on a sidecar. It is effective there once the sidecar has applied it; or, by the guarantee,
 * has been silent for its bound after the event and its last word, or says a bound after the event that it has no view
 * inside its bound. The clocks of brokers and session service may differ by the skew that the bound allows for, and so may
 * the times told; a sidecar's may be any.
 *
 * @returns undefined where the sidecar does not count: it began a bound after the announcement, so that no view of it that
 *   accepts lacks that; or it was closed.
 */
export function outcomeOf(revocation: Revocation, sidecar: Sidecar, now: number): Outcome | undefined {
  const { announcedAt } = revocation;
  const { service, instance, state, boundMs, heardAt } = sidecar.last;
  const closedAt = state === 'closed' ? heardAt : Number.POSITIVE_INFINITY;
  if (!mayLack(revocation, sidecar)) return undefined;

  const proof = proofOf(revocation, sidecar);
  const lease = leaseOf(revocation, sidecar);
  const { effectiveAt: appliedSince, ...applied } = proof ?? {};
  const about = { service, instance, state: stateOf(sidecar, now), ...applied };
  const provenAt = appliedSince ?? Number.POSITIVE_INFINITY;
  if (Math.min(provenAt, lease.until) > closedAt) return undefined;
  if (provenAt <= lease.until) return { ...about, by: 'receipt', effectiveAt: provenAt };
  // As much time has passed here as well: the broker's clock, which dates the event, may be another.
  if (proof === undefined && Math.max(lease.until, announcedAt + boundMs) > now) return { ...about, by: 'pending' };
  const { since, until } = lease;
  return { ...about, by: 'lease', effectiveAt: until, ...(since === undefined ? {} : { silentSince: since }) };
}

/** That a sidecar closed after the event, and nobody knows what it had let through by then. */
export const leftUntold = (revocation: Revocation, sidecar: Sidecar): boolean =>
  sidecar.last.state === 'closed' &&
  sidecar.last.heardAt >= revocation.at &&
  mayLack(revocation, sidecar) &&
  proofOf(revocation, sidecar)?.exposed === undefined;

/** That a sidecar may have accepted by a view from before the event. */
const mayLack = ({ at, announcedAt }: Revocation, { last, behindMs }: Sidecar): boolean =>
  last.startedAt + behindMs <= Math.max(at, announcedAt) + last.boundMs;

interface Lease {
  readonly until: number;
  /** Since when the sidecar was silent; absent where it said that it has no view inside its bound. */
  readonly since?: number;
}

function leaseOf({ at, partition }: Revocation, sidecar: Sidecar): Lease {
  const { boundMs, heardAt, partitions } = sidecar.last;
  for (const { from, to } of sidecar.silences) {
    const until = Math.max(from, at) + boundMs;
    if (until <= to) return { since: from, until };
  }
  const { ageMs = Number.POSITIVE_INFINITY } = partitions[partition] ?? {};
  // A view that comes to be inside the bound from then on has a tick from after the event, and with it the event.
  if (heardAt >= at + boundMs && ageMs > boundMs) return { until: at + boundMs };
  return { since: heardAt, until: Math.max(leaseUntil(sidecar), at + boundMs) };
}

/**
 * That it was applied: by its name, or by a tick that was stamped after its acknowledgement, in the same partition: what was
 * acknowledged before that is announced before it (DESIGN section 5). By either clock, as the one that stamps ticks may be
 * ahead, which the age of the view allows for. An earlier event may have had the same name, which is unique to its issuer
 * alone. A later place proves nothing: a log that was made anew has them again.
 */
function proofOf(
  { id, partition, offset, at, announcedAt }: Revocation,
  { applied, last, behindMs }: Sidecar,
): Pick<Outcome, 'effectiveAt' | 'appliedAt' | 'exposed' | 'atLeast'> | undefined {
  const event = applied.get(id);
  if (event !== undefined && event.partition === partition && event.offset >= offset) {
    const appliedAt = Math.max(event.at + behindMs, at);
    const isLeast = event.atLeast || event.since + behindMs > at;
    const atLeast = isLeast ? { atLeast: true as const } : {};
    return { effectiveAt: appliedAt, appliedAt, exposed: event.exposed, ...atLeast };
  }
  const { tick, ageMs } = last.partitions[partition] ?? { tick: 0, ageMs: Number.POSITIVE_INFINITY };
  const completeUntil = Math.min(tick - MAX_CLOCK_SKEW_MS, last.at + behindMs - ageMs);
  return completeUntil >= at && last.heardAt >= announcedAt ? { effectiveAt: last.heardAt } : undefined;
}
