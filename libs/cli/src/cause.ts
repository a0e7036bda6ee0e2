import {
  REALM_SCOPE,
  type ScopeKey,
  sessionScope,
  subjectScope,
  tenantScope,
  type VersionRecord,
} from '@curfew/contracts';
import type { LogEntry } from './kafka-log.ts';
import type { ShownSession } from './shown-session.ts';

/** A session whose versions are known. */
export type VersionedSession = ShownSession & Required<Pick<ShownSession, 'subject' | 'version'>>;

/** What became of a session, and by which event. */
export interface Cause {
  readonly verdict: 'revoked' | 'stale';
  readonly scope: ScopeKey;
  readonly why: string;
  /** The event's jti. */
  readonly id: string;
  /** When the bus acknowledged the event, ms since the epoch. */
  readonly at: number;
  readonly traceId?: string;
}

/** The scopes that a session has a version of; its own tombstone ends it whatever its version. */
export function versionsOf({ sid, subject, tenant, version: { s, t, r } }: VersionedSession): Map<ScopeKey, number> {
  return new Map([
    [sessionScope(sid), Number.NEGATIVE_INFINITY],
    [subjectScope(subject), s],
    ...(tenant === undefined ? [] : ([[tenantScope(tenant), t]] as const)),
    [REALM_SCOPE, r],
  ]);
}

/**
 * The first event that ended the session; where none did, the first that made it stale. A record whose floor is below its
 * current carries the floor of an event before it, which is the cause; it stands in where the log has compacted that away.
 *
 * @param announced the versions announced since the session was minted, in any order.
 */
export function causeOf(session: VersionedSession, announced: readonly LogEntry<VersionRecord>[]): Cause | undefined {
  const versions = versionsOf(session);
  const inOrder = announced.toSorted(({ record: a }, { record: b }) => a.at - b.at || a.offset - b.offset);
  const first = (of: (record: VersionRecord) => number) =>
    inOrder.find(({ record }) => (versions.get(record.scope) ?? Number.POSITIVE_INFINITY) < of(record));
  const ended = first(({ floor }) => floor);
  const found = ended ?? first(({ current }) => current);
  if (found === undefined) return undefined;
  const { scope, why, id, at } = found.record;
  const verdict = ended === undefined ? 'stale' : 'revoked';
  return { verdict, scope, why, id, at, ...(found.traceId === undefined ? {} : { traceId: found.traceId }) };
}
