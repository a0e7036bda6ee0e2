import { type AccessTokenClaims, sessionScope, subjectScope, tenantScope } from '@curfew/contracts';
import { type Lookup, lookupOf } from './entries.ts';

/** What a check needs of a session, its lookups made once so that a check allocates nothing. It serves one replica. */
export interface SessionVersions {
  readonly subject: Lookup;
  readonly tenant: Lookup | undefined;
  readonly session: Lookup;
  /** Versions of the subject, the tenant and the realm that the session was minted with. */
  readonly s: number;
  readonly t: number;
  readonly r: number;
  /** Every bump announced before this time (ms since the epoch) is in the versions. A read-through re-dates it. */
  at: number;
}

export function sessionVersions({ sub, ten, sid, ver }: AccessTokenClaims): SessionVersions {
  return {
    subject: lookupOf(subjectScope(sub)),
    tenant: ten === undefined ? undefined : lookupOf(tenantScope(ten)),
    session: lookupOf(sessionScope(sid)),
    s: ver.s,
    t: ver.t,
    r: ver.r,
    at: ver.at,
  };
}
