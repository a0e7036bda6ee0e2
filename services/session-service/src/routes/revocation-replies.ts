import { leaseUntil, type Sidecar, stateOf } from '../receipts/fleet.ts';
import type { Report } from '../receipts/open-revocation.ts';
import type { Outcome } from '../receipts/revocation.ts';

const instant = (ms: number): string => new Date(ms).toISOString();

export function reportReply({ revocation, outcomes, effective, effectiveAt }: Report) {
  const { id, partition, offset, why, scopes, traceId, canary, at, appliedAt, announcedAt } = revocation;
  const done = outcomes.filter(({ by }) => by !== 'pending');
  const isTold = outcomes.length > 0 && outcomes.every(({ atLeast, exposed }) => !atLeast && exposed !== undefined);
  const isLeast = scopes.length > 0 && (revocation.atLeast || !isTold);
  return {
    id,
    partition,
    offset,
    why,
    scopes: [...scopes],
    ...(traceId === undefined ? {} : { traceId }),
    ...(canary === undefined ? {} : { canary }),
    at: instant(at),
    ...(appliedAt === undefined ? {} : { appliedAt: instant(appliedAt) }),
    announcedAt: instant(announcedAt),
    effective,
    ...(effectiveAt === undefined ? {} : { effectiveAt: instant(effectiveAt) }),
    summary: `${done.length} of ${outcomes.length}`,
    ...(scopes.length === 0 ? { says: 'it ends nothing' } : {}),
    exposed: outcomes.reduce((sum, { exposed = 0 }) => sum + exposed, 0),
    ...(isLeast ? { atLeast: true } : {}),
    sidecars: outcomes.map((outcome) => outcomeReply(outcome, at)),
  };
}

function outcomeReply(outcome: Outcome, at: number) {
  const { service, instance, state, by, appliedAt, effectiveAt, exposed, atLeast } = outcome;
  const applied = appliedAt === undefined ? {} : { appliedAt: instant(appliedAt), latencyMs: appliedAt - at };
  return {
    service,
    instance,
    state,
    effective: by !== 'pending',
    by,
    ...applied,
    ...(effectiveAt === undefined ? {} : { effectiveAt: instant(effectiveAt) }),
    ...(exposed === undefined ? {} : { exposed }),
    ...(atLeast ? { atLeast } : {}),
    says: inWords(outcome, at),
  };
}

function inWords({ by, appliedAt, effectiveAt = 0, silentSince }: Outcome, at: number): string {
  if (by === 'pending') return 'has not applied it yet';
  if (by === 'lease') {
    const why = silentSince === undefined ? 'has no view inside its bound' : `silent since ${instant(silentSince)}`;
    return `${why}; refuses by itself from ${instant(effectiveAt)} on`;
  }
  if (appliedAt === undefined) return `had applied it when it next said something, after ${effectiveAt - at} ms`;
  return `applied after ${appliedAt - at} ms`;
}

export function sidecarsReply(sidecars: readonly Sidecar[], now: number) {
  const newest: number[] = [];
  for (const { last } of sidecars)
    for (const [partition, { offset }] of last.partitions.entries())
      newest[partition] = Math.max(offset, newest[partition] ?? -1);
  return {
    sidecars: sidecars.map((sidecar) => {
      const { service, instance, startedAt, heardAt, boundMs, partitions } = sidecar.last;
      return {
        service,
        instance,
        state: stateOf(sidecar, now),
        startedAt: instant(startedAt + sidecar.behindMs),
        lastReceiptAt: instant(heardAt),
        leaseUntil: instant(leaseUntil(sidecar)),
        boundMs,
        lagRecords: partitions.reduce((sum, { offset }, partition) => sum + (newest[partition] ?? offset) - offset, 0),
        partitions: partitions.map(({ offset, tick, ageMs }, partition) => ({
          partition,
          offset,
          ...(tick > 0 ? { tick: instant(tick) } : {}),
          ageMs,
        })),
      };
    }),
  };
}
