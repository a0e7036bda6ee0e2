import { leaseUntil, type Sidecar, stateOf } from './fleet.ts';
import type { Outcome, Revocation } from './revocation.ts';

/**
 * What became of a revocation on a sidecar. It is effective there once the sidecar has applied it; or, by the guarantee,
 * has been silent for its bound after the event and its last word, or says a bound after the event that it has no view
 * inside its bound. The clocks of brokers and session service may differ by the skew that the bound allows for, and so may
 * the times told; a sidecar's may be any.
 *
 * @returns undefined where the sidecar does not count: it began after the announcement (it reads that before it serves), or
 *   it was closed.
 */
export function outcomeOf(revocation: Revocation, sidecar: Sidecar, now: number): Outcome | undefined {
  const { at, announcedAt } = revocation;
  const { service, instance, state, boundMs, startedAt, heardAt } = sidecar.last;
  const closedAt = state === 'closed' ? heardAt : Number.POSITIVE_INFINITY;
  if (startedAt + sidecar.behindMs > Math.max(at, announcedAt)) return undefined;

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
 * That it was applied: by its name, or by a later place in the same partition, as everything is announced in order. An
 * earlier event may have had the same name, which is unique to its issuer alone; and an earlier log later places, so that
 * these count only where they are told after the announcement, of a view inside its bound.
 */
function proofOf({ id, partition, offset, at, announcedAt }: Revocation, { applied, last, behindMs }: Sidecar) {
  const event = applied.get(id);
  if (event !== undefined && event.partition === partition && event.offset >= offset) {
    const appliedAt = Math.max(event.at + behindMs, at);
    const isLeast = event.atLeast || event.since + behindMs > at;
    const atLeast = isLeast ? { atLeast: true as const } : {};
    return { effectiveAt: appliedAt, appliedAt, exposed: event.exposed, ...atLeast };
  }
  const view = last.partitions[partition];
  const isPast = view !== undefined && view.offset >= offset && view.ageMs <= last.boundMs;
  return isPast && last.heardAt >= Math.max(at, announcedAt) ? { effectiveAt: last.heardAt } : undefined;
}
