import { partitionHash, positionKey, REALM_ID, REALM_SCOPE, type ScopeKey, versionKey } from '@curfew/contracts';
import { answered, type RedisClient } from './redis-connection.ts';

/** One scope's version; zeros where it was never bumped. */
export interface Version {
  readonly current: number;
  readonly floor: number;
}

/** What decides about a session. */
export interface SubjectVersions {
  readonly subject: Version;
  readonly tenant: Version;
  readonly realm: Version;
  /** No new session is made for the subject. */
  readonly blocked: boolean;
  /**
   * The oldest tick of the partitions that were read: every event acknowledged before it is in the versions. 0 where one
   * of them has none. Ms since the epoch.
   */
  readonly tick: number;
  /** The session that was asked about has a tombstone. */
  readonly sessionEnded: boolean;
  /** Claims that a bump brought, and the subject's version of that bump. */
  readonly claims?: { readonly json: string; readonly since: number };
}

/** The scopes of a session; `SessionVersions` of @curfew/replica has them. */
export interface SessionScopes {
  readonly subject: { readonly scope: ScopeKey };
  readonly tenant?: { readonly scope: ScopeKey } | undefined;
  readonly session?: { readonly scope: ScopeKey } | undefined;
  /** `partitionHash` of the subject and of the tenant. */
  readonly subjectHash: number;
  readonly tenantHash: number;
}

const REALM_HASH = partitionHash(REALM_ID);

/**
 * Reads the versions of a session's scopes in one round trip: a script for each of subject, tenant and realm, each in the
 * slot of its partition, and each as of one moment.
 *
 * @param partitions as many as session-versions has: they are part of the keys.
 * @throws CurfewError `store_unavailable`
 */
export async function readVersions(
  redis: RedisClient,
  { subject, tenant, session, subjectHash, tenantHash }: SessionScopes,
  partitions: number,
): Promise<SubjectVersions> {
  const [own, ofTenant, ofRealm] = await answered(
    Promise.all([
      readVersion(redis, subjectHash % partitions, subject.scope, session?.scope),
      tenant && readVersion(redis, tenantHash % partitions, tenant.scope),
      readVersion(redis, REALM_HASH % partitions, REALM_SCOPE),
    ]),
  );
  return {
    subject: own.version,
    tenant: ofTenant?.version ?? NEVER_BUMPED,
    realm: ofRealm.version,
    tick: Math.min(own.tick, ofTenant?.tick ?? own.tick, ofRealm.tick),
    blocked: own.blocked || ofTenant?.blocked === true || ofRealm.blocked,
    sessionEnded: own.ended,
    ...(own.claims ? { claims: own.claims } : {}),
  };
}

/** Whether what Redis holds is divided into so many partitions: there is a position for the last, and none behind it. */
export async function holdsPartitions(redis: RedisClient, partitions: number): Promise<boolean> {
  const [last, behind] = await answered(
    Promise.all([redis.exists(positionKey(partitions - 1)), redis.exists(positionKey(partitions))]),
  );
  return last === 1 && behind === 0;
}

const NEVER_BUMPED: Version = { current: 0, floor: 0 };

async function readVersion(redis: RedisClient, partition: number, scope: ScopeKey, tombstone?: ScopeKey) {
  const keys = [positionKey(partition), versionKey(partition, scope)];
  if (tombstone !== undefined) keys.push(versionKey(partition, tombstone));
  const [tick, ended, current, floor, blocked, claims, claimsAt] = await redis.curfewReadVersions(keys.length, ...keys);
  return {
    tick: Number(tick),
    ended: ended === 1,
    version: { current: Number(current), floor: Number(floor) },
    blocked: blocked === '1',
    claims: claims === null ? undefined : { json: claims, since: Number(claimsAt) },
  };
}
