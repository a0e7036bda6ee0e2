import type { AccessTokenClaims, ErrorCode } from '@curfew/contracts';
import { type SessionVersions, sessionVersions } from '@curfew/replica';

/** Who makes a request, once Curfew has accepted it. Shared by all requests with the same token, and frozen. */
export interface Session {
  readonly subject: string;
  readonly sid: string;
  readonly roles: readonly string[];
  readonly claims: AccessTokenClaims;
  /** false: accepted on a lenient route although it could not be proven that the session still holds. */
  readonly provable: boolean;
  /** What `sidecar.check` takes, for work that outlasts a request. */
  readonly versions: SessionVersions;
}

/** What a route does with a session that cannot be proven: `strict` answers 503, `lenient` accepts. */
export type Policy = 'strict' | 'lenient';

/** Codes of a request that is not let through: a rejection (401), or one that cannot be judged now (503). */
export type RejectionCode = Extract<
  ErrorCode,
  'session_revoked' | 'session_stale' | 'session_expired' | 'session_invalid' | 'view_stale' | 'not_ready'
>;

export interface Rejection {
  readonly ok: false;
  readonly code: RejectionCode;
}
export type Authentication = { readonly ok: true; readonly session: Session } | Rejection;

/** Made once, as rejections are for the hot path too. */
export const REJECTIONS: { readonly [C in RejectionCode]: Rejection } = {
  session_revoked: { ok: false, code: 'session_revoked' },
  session_stale: { ok: false, code: 'session_stale' },
  session_expired: { ok: false, code: 'session_expired' },
  session_invalid: { ok: false, code: 'session_invalid' },
  view_stale: { ok: false, code: 'view_stale' },
  not_ready: { ok: false, code: 'not_ready' },
};

/** A verified token: the answers that it can get, made once. */
export interface VerifiedToken {
  readonly versions: SessionVersions;
  /** The token's own expiry, ms since the epoch. */
  readonly expiresAt: number;
  readonly accepted: Authentication;
  readonly acceptedUnproven: Authentication;
}

export function verifiedToken(claims: AccessTokenClaims): VerifiedToken {
  const roles = claims.roles ?? [];
  for (const shared of [roles, claims.ver, claims.aud, claims]) Object.freeze(shared);
  const versions = sessionVersions(claims);
  const session = { subject: claims.sub, sid: claims.sid, roles, claims, versions };
  const accept = (provable: boolean): Authentication => ({
    ok: true,
    session: Object.freeze({ ...session, provable }),
  });
  return {
    versions,
    expiresAt: claims.exp * 1000,
    accepted: accept(true),
    acceptedUnproven: accept(false),
  };
}
