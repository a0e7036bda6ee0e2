import murmurhash from 'murmurhash';

/**
 * The key of a scope, as on the bus and in Redis: `u:` a subject, `t:` a tenant, `r` the realm; `s:` one session, whose
 * entry is a tombstone.
 */
export type ScopeKey = `u:${string}` | `t:${string}` | 'r' | `s:${string}`;

export const subjectScope = (subject: string): ScopeKey => `u:${subject}`;
export const tenantScope = (tenant: string): ScopeKey => `t:${tenant}`;
export const sessionScope = (sid: string): ScopeKey => `s:${sid}`;
/** The session that a scope is the tombstone of. */
export const sessionOfScope = (scope: ScopeKey): string | undefined =>
  scope.startsWith('s:') ? scope.slice(2) : undefined;
export const REALM_SCOPE: ScopeKey = 'r';

/** The record key of the realm on the account-event log. No subject or tenant may be called this. */
export const REALM_ID = '*';

export const isScopeKey = (key: string): key is ScopeKey => key === REALM_SCOPE || /^[uts]:./s.test(key);

const KAFKA_MURMUR2_SEED = 0x9747b28c;

/**
 * Hash of a record key, 0 to 2^31 − 1: Kafka's default, murmur2 of the UTF-8 bytes with its sign bit cleared
 * (`murmur2_random` in librdkafka, DefaultPartitioner in kafkajs and Java).
 */
export function partitionHash(id: string): number {
  return murmurhash.v2(new TextEncoder().encode(id), KAFKA_MURMUR2_SEED) & 0x7fffffff;
}

/** The partition of a record key: its hash modulo the count. */
export const partitionOf = (id: string, partitions: number): number => partitionHash(id) % partitions;
