import { type AccessTokenClaims, type ScopeKey, sessionScope, subjectScope, tenantScope } from '@curfew/contracts';

/** What a check needs of a session, its keys made once so that a check allocates nothing. */
export interface SessionVersions {
  readonly subject: ScopeKey;
  readonly tenant: ScopeKey | undefined;
  readonly session: ScopeKey;
  /** Versions of the subject, the tenant and the realm that the session was minted with. */
  readonly s: number;
  readonly t: number;
  readonly r: number;
  /** Every bump announced before this time (ms since the epoch) is in the versions. A read-through re-dates it. */
  at: number;
}

export function sessionVersions({ sub, ten, sid, ver }: AccessTokenClaims): SessionVersions {
  return {
    subject: subjectScope(sub),
    tenant: ten === undefined ? undefined : tenantScope(ten),
    session: sessionScope(sid),
    s: ver.s,
    t: ver.t,
    r: ver.r,
    at: ver.at,
  };
}
