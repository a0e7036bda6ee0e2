import { newSessionId, type SessionRecord, sidOf } from '@curfew/contracts';

const HOUR_MS = 3_600_000;

/** A session of alice's that was made now, in whole seconds as records have them. */
export function sessionRecord(members: Partial<SessionRecord> = {}): SessionRecord {
  const createdAt = Math.floor(Date.now() / 1000) * 1000;
  return {
    sid: sidOf(newSessionId()),
    subject: 'alice',
    roles: [],
    rolesAt: 0,
    tier: 'account',
    createdAt,
    authenticatedAt: createdAt,
    lastSeenAt: createdAt,
    expiresAt: createdAt + 12 * HOUR_MS,
    idleMs: HOUR_MS,
    s: 0,
    t: 0,
    r: 0,
    at: 0,
    generation: 0,
    predecessorUntil: 0,
    ...members,
  };
}
