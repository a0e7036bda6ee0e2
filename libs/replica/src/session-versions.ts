import { type AccessTokenClaims, partitionHash, sessionScope, subjectScope, tenantScope } from '@curfew/contracts';
import { type Lookup, lookupOf } from './entries.ts';

/** What a check needs of a session, its lookups made once so that a check allocates nothing. It serves one replica. */
export interface SessionVersions {
  readonly subject: Lookup;
  readonly tenant: Lookup | undefined;
  readonly session: Lookup;
  /** Hashes of the subject's and the tenant's record keys: modulo the count of partitions, they name the views. */
  readonly subjectHash: number;
  readonly tenantHash: number;
  /** Versions of the subject, the tenant and the realm that the session was minted with. */
  readonly s: number;
  readonly t: number;
  readonly r: number;
  /** Every event acknowledged before this time (ms since the epoch) is in the versions. A read-through re-dates it. */
  at: number;
}

export function sessionVersions({ sub, ten, sid, ver }: AccessTokenClaims): SessionVersions {
  return {
    subject: lookupOf(subjectScope(sub)),
    tenant: ten === undefined ? undefined : lookupOf(tenantScope(ten)),
    session: lookupOf(sessionScope(sid)),
    subjectHash: partitionHash(sub),
    tenantHash: ten === undefined ? 0 : partitionHash(ten),
    s: ver.s,
    t: ver.t,
    r: ver.r,
    at: ver.at,
  };
}
