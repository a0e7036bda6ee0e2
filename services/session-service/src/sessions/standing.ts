import { CurfewError, type SessionRecord } from '@curfew/contracts';
import type { Renewal, RolesGiven } from '../store/session-store.ts';
import type { SubjectVersions } from '../store/version-store.ts';

export type Standing = 'active' | 'stale' | 'revoked';

/** Where a session stands against the versions of now (DESIGN section 4). */
export function standingOf(
  { s, t, r }: Pick<SessionRecord, 's' | 't' | 'r'>,
  { subject, tenant, realm, sessionEnded }: SubjectVersions,
): Standing {
  if (sessionEnded || s < subject.floor || t < tenant.floor || r < realm.floor) return 'revoked';
  return s < subject.current || t < tenant.current || r < realm.current ? 'stale' : 'active';
}

/** Dated to the tick that was read before the versions: every event acknowledged before it is in them. */
export const vectorOf = ({ subject, tenant, realm, tick }: SubjectVersions) => ({
  at: tick,
  s: subject.current,
  t: tenant.current,
  r: realm.current,
});

/** What a session takes on when it renews by the versions of now. */
export function renewalOf(session: SessionRecord, read: SubjectVersions): Renewal {
  const given = rolesGiven(read);
  // Those of a claims change that the session has not seen yet; otherwise its own.
  const roles = given && given.rolesAt > session.rolesAt ? given.roles : session.roles;
  return { ...vectorOf(read), roles, rolesAt: read.subject.current };
}

/** The roles that the subject's newest claims change gave; undefined where none did. */
export function rolesGiven({ claims }: SubjectVersions): RolesGiven | undefined {
  const { roles } = JSON.parse(claims?.json ?? '{}') as { roles?: unknown };
  if (!claims || !Array.isArray(roles)) return undefined;
  return { roles: roles.filter((role) => typeof role === 'string' && role !== ''), rolesAt: claims.since };
}

/** How old the tick may be that a session is made or renewed by. */
export interface Freshness {
  /** Oldest tick, ms of age with `maxClockSkewMs` added. */
  readonly maxViewAgeMs: number;
  /** How far the clocks of the instances that stamp ticks and of this one may differ, ms. */
  readonly maxClockSkewMs: number;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
}

/**
 * Minting obeys the bound too: what is minted from an old view may lack an end that was acknowledged long ago.
 *
 * @throws CurfewError `view_stale`
 */
export function assertFresh({ tick }: SubjectVersions, { maxViewAgeMs, maxClockSkewMs, now }: Freshness): void {
  const ageMs = now() - tick + maxClockSkewMs;
  if (ageMs > maxViewAgeMs) throw new CurfewError('view_stale', 'account events reach Redis too late to judge by');
}
