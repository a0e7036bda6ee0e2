import type { AccessTokenClaims, ErrorCode, Tier } from '@curfew/contracts';
import { type SessionVersions, sessionVersions } from '@curfew/replica';

/** Who makes a request, once Curfew has accepted it. Shared by all requests with the same token, and frozen. */
export interface Session {
  readonly subject: string;
  readonly sid: string;
  readonly roles: readonly string[];
  readonly claims: AccessTokenClaims;
  /** false: accepted on a lenient route although it could not be proven that the session still holds. */
  readonly provable: boolean;
  /** What decided: the versions in memory, those in Redis, or the policy of the route alone. */
  readonly source: Exclude<Source, 'token'>;
  /** What `sidecar.check` takes, for work that outlasts a request. */
  readonly versions: SessionVersions;
}

/** What decided about a request; `token`: its token alone, which is not valid. */
export type Source = 'token' | 'memory' | 'store' | 'policy';

/** What a route does with a session that cannot be proven: `strict` answers 503, `lenient` accepts. */
export type Policy = 'strict' | 'lenient';

/** How a route wants its requests judged. */
export interface RoutePolicy {
  /** Default `strict`. */
  readonly policy?: Policy;
  /** A bound below the sidecar's own, ms. */
  readonly maxViewAgeMs?: number;
  /** What the session must be good for at the least. Default: any. */
  readonly tier?: Tier;
  /** Longest time since the user last showed a credential, ms, 1000 to a year. Default: any. Counted in whole seconds. */
  readonly maxAuthAgeMs?: number;
  /** Ways of authentication, one of which the session must have (`acr`, RFC 9470). Default: any. */
  readonly acr?: readonly string[];
}

/** Codes of a request that is not let through: a rejection (401), or one that cannot be judged now (503). */
export type RejectionCode = Extract<
  ErrorCode,
  'session_revoked' | 'session_stale' | 'session_expired' | 'session_invalid' | 'view_stale' | 'not_ready'
>;

export interface Rejection {
  readonly ok: false;
  readonly code: RejectionCode;
  readonly source: Source;
}

/** What a route asks for beyond a session. */
export type Asked = Pick<RoutePolicy, 'tier' | 'maxAuthAgeMs' | 'acr'>;

/** A request that its route turns away, whatever its session is worth elsewhere. */
export type RouteRefusal =
  | { readonly ok: false; readonly code: 'cross_site_request' }
  | { readonly ok: false; readonly code: 'insufficient_user_authentication'; readonly asked: Asked };

/** A request that is not let through, by its session or by its route. */
export type Refusal = Rejection | RouteRefusal;

export type Authentication = { readonly ok: true; readonly session: Session } | Rejection;

const rejection = (code: RejectionCode, source: Source): Rejection => Object.freeze({ ok: false, code, source });

const ended = (source: 'memory' | 'store') => ({
  session_revoked: rejection('session_revoked', source),
  session_stale: rejection('session_stale', source),
});

/** By what decides. Made once, as rejections are for the hot path too. */
export const REJECTIONS = {
  token: {
    session_expired: rejection('session_expired', 'token'),
    session_invalid: rejection('session_invalid', 'token'),
    not_ready: rejection('not_ready', 'token'),
  },
  memory: ended('memory'),
  store: ended('store'),
  policy: { view_stale: rejection('view_stale', 'policy') },
} as const;

/** A verified token: the answers that it can get, made once. */
export interface VerifiedToken {
  readonly versions: SessionVersions;
  /** The token's own expiry, ms since the epoch. */
  readonly expiresAt: number;
  /** By what accepts. */
  readonly accepted: Readonly<Record<Session['source'], Authentication>>;
}

export function verifiedToken(claims: AccessTokenClaims): VerifiedToken {
  const roles = claims.roles ?? [];
  for (const shared of [roles, claims.ver, claims.aud, claims]) Object.freeze(shared);
  const versions = sessionVersions(claims);
  const session = { subject: claims.sub, sid: claims.sid, roles, claims, versions };
  const accept = (source: Session['source']): Authentication => ({
    ok: true,
    session: Object.freeze({ ...session, provable: source !== 'policy', source }),
  });
  return {
    versions,
    expiresAt: claims.exp * 1000,
    accepted: { memory: accept('memory'), store: accept('store'), policy: accept('policy') },
  };
}
