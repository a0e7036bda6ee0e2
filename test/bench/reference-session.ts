import { newSessionId, type SessionRecord, sidOf } from '@curfew/contracts';
import { networkOf } from '../../services/session-service/src/sessions/network.ts';

const HOUR_MS = 3_600_000;

/** What the reference session says: who, on which device, from which address, with two roles. */
export type ReferenceSession = Pick<SessionRecord, 'subject' | 'roles'> & Readonly<Record<'device' | 'ip', string>>;

/** The i-th session, of a subject of its own. All have the same length. */
export const referenceSession = (i: number): ReferenceSession => ({
  subject: `user-${i.toString().padStart(7, '0')}`,
  roles: ['customer', 'reviewer'],
  device: `device-${i.toString(36).padStart(4, '0')}`,
  ip: `203.0.${100 + (i % 100)}.7`,
});

/** Its record, as a sign-in of the tier `account` makes it. */
export function referenceRecord(i: number): SessionRecord {
  const createdAt = Math.floor(Date.now() / 1000) * 1000;
  const { ip, ...session } = referenceSession(i);
  return {
    ...session,
    ip: networkOf(ip) ?? '',
    sid: sidOf(newSessionId()),
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
    at: Date.now(),
    generation: 0,
    predecessorUntil: 0,
  };
}

/** How many sessions a case takes: as many as it is told by `--sessions`, where that is fewer. */
export const sessionCount = (usual: number): number =>
  Math.min(usual, Number(process.env['CURFEW_BENCH_SESSIONS'] ?? usual));
