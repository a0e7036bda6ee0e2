import { SESSION_COOKIE, type SessionRecord } from '@curfew/contracts';
import type { Grant } from '../sessions/grants.ts';
import type { StandingSession } from '../sessions/sessions.ts';

const instant = (ms: number): string => new Date(ms).toISOString();
const versionOf = ({ s, t, r, at }: SessionRecord) => ({ s, t, r, at });

/**
 * The header that gives a browser its session (RFC 6265bis). It names no lifetime: that is the record's matter, and the
 * cookie goes with the browser.
 */
const setCookie = (id: string): string => `${SESSION_COOKIE}=${id}; Path=/; Secure; HttpOnly; SameSite=Lax`;

export function grantReply(grant: Grant) {
  const { session, expiresAt } = grant;
  const carried =
    grant.mode === 'bearer'
      ? { accessToken: grant.accessToken, refreshToken: grant.refreshToken }
      : { cookie: grant.id, setCookie: setCookie(grant.id) };
  return { sid: session.sid, ...carried, expiresAt: instant(expiresAt), version: versionOf(session) };
}

export function sessionReply({ session, standing }: StandingSession) {
  const { s: _s, t: _t, r: _r, at: _at, idleMs: _idle, generation: _g, predecessorUntil: _p, ...rest } = session;
  const { rolesAt: _rolesAt, ended: _ended, idHash: _id, previousIdHash: _previous, roles, amr, ux, ...shown } = rest;
  return {
    ...shown,
    roles: [...roles],
    ...(amr === undefined ? {} : { amr: [...amr] }),
    ...(ux === undefined ? {} : { ux: { ...ux } }),
    standing,
    createdAt: instant(session.createdAt),
    authenticatedAt: instant(session.authenticatedAt),
    lastSeenAt: instant(session.lastSeenAt),
    expiresAt: instant(session.expiresAt),
    version: versionOf(session),
  };
}
