import { partitionHash, positionKey, REALM_ID, REALM_SCOPE, type ScopeKey, versionKey } from '@curfew/contracts';
import { Cluster } from 'ioredis';
import { answered, type RedisClient } from './redis-connection.ts';
import type { ScopeAnswer } from './redis-versions-script.ts';

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
 * Reads the versions of a session's scopes in one round trip: as of one moment at one server; in a cluster, where each
 * partition is in a slot of its own, each as of one.
 *
 * @param partitions as many as session-versions has: they are part of the keys.
 * @throws CurfewError `store_unavailable`
 */
export async function readVersions(
  redis: RedisClient,
  { subject, tenant, session, subjectHash, tenantHash }: SessionScopes,
  partitions: number,
): Promise<SubjectVersions> {
  const keys = [
    keysOf(subjectHash % partitions, subject.scope, session?.scope),
    keysOf(REALM_HASH % partitions, REALM_SCOPE),
    ...(tenant ? [keysOf(tenantHash % partitions, tenant.scope)] : []),
  ];
  const calls = redis instanceof Cluster ? keys : [keys.flat()];
  const answers = await answered(Promise.all(calls.map((some) => redis.curfewReadVersions(some.length, ...some))));
  const [own = NOTHING, ofRealm = NOTHING, ofTenant] = answers.flat().map(scopeOf);
  return {
    subject: own.version,
    tenant: ofTenant?.version ?? NOTHING.version,
    realm: ofRealm.version,
    tick: Math.min(own.tick, ofRealm.tick, ofTenant?.tick ?? own.tick),
    blocked: own.blocked || ofRealm.blocked || ofTenant?.blocked === true,
    sessionEnded: session !== undefined && own.ended,
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

const keysOf = (partition: number, scope: ScopeKey, tombstone = scope): string[] => [
  positionKey(partition),
  versionKey(partition, scope),
  versionKey(partition, tombstone),
];

const scopeOf = ([tick, ended, current, floor, blocked, claims, claimsAt]: ScopeAnswer) => ({
  tick: Number(tick),
  ended: ended === 1,
  version: { current: Number(current), floor: Number(floor) },
  blocked: blocked === '1',
  claims: claims === null ? undefined : { json: claims, since: Number(claimsAt) },
});

/** A scope that was never bumped, in a partition that has no tick. */
const NOTHING = scopeOf([null, 0, null, null, null, null, null]);
