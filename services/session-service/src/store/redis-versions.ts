import { randomUUID } from 'node:crypto';
import {
  partitionOf,
  REALM_ID,
  REALM_SCOPE,
  type ScopeKey,
  sessionScope,
  subjectScope,
  tenantScope,
} from '@curfew/contracts';
import type { Redis } from 'ioredis';
import { answered, PREFIX } from './redis-connection.ts';
import {
  type AnnouncedVersions,
  type AppliedVersion,
  type Change,
  RollbackError,
  type SubjectVersions,
  type VersionStore,
} from './version-store.ts';

interface RedisVersionsOptions {
  readonly redis: Redis;
  readonly partitions: number;
  /** Life of a version, ms: at least that of the longest session. */
  readonly versionTtlMs: number;
}

/** Versions that one script restores. */
const RESTORE_CHUNK = 1000;

const number = (text: string | null | undefined): number => (text == null ? 0 : Number(text));

/** The versions in Redis: one hash per scope and one position per partition, in the partition's own slot. */
export class RedisVersions implements VersionStore {
  readonly #redis: Redis;
  readonly #partitions: number;
  readonly #versionTtlMs: number;

  constructor({ redis, partitions, versionTtlMs }: RedisVersionsOptions) {
    this.#redis = redis;
    this.#partitions = partitions;
    this.#versionTtlMs = versionTtlMs;
  }

  async position(partition: number): Promise<number> {
    const offset = await answered(this.#redis.hget(positionKey(partition), 'offset'));
    return offset === null ? -1 : Number(offset);
  }

  async forgetPosition(partition: number): Promise<void> {
    await answered(this.#redis.del(positionKey(partition)));
  }

  async apply(
    partition: number,
    known: number,
    last: number,
    changes: readonly Change[],
    tick = 0,
  ): Promise<AppliedVersion[]> {
    const keys = [positionKey(partition), ...changes.map(({ scope }) => versionKey(partition, scope))];
    const [found = -1, ...numbers] = await answered(
      this.#redis.curfewApply(
        keys.length,
        ...keys,
        known,
        last,
        this.#versionTtlMs,
        JSON.stringify(changes.map(({ scope: _, ...change }) => change)),
        tick,
      ),
    );
    if (found < known) throw new RollbackError(found);
    return changes.map((_, i) => ({
      current: numbers[5 * i] ?? 0,
      floor: numbers[5 * i + 1] ?? 0,
      applied: numbers[5 * i + 2] === 1,
      blocked: numbers[5 * i + 3] === 1,
      floorBefore: numbers[5 * i + 4] ?? 0,
    }));
  }

  async restore(partition: number, { versions, position }: AnnouncedVersions): Promise<boolean> {
    const all = [...versions];
    const id = randomUUID();
    let mark = '';
    for (let first = 0; first === 0 || first < all.length; first += RESTORE_CHUNK) {
      const chunk = all.slice(first, first + RESTORE_CHUNK);
      const keys = [positionKey(partition), ...chunk.map(([scope]) => versionKey(partition, scope))];
      const values = JSON.stringify(chunk.map(([, version]) => version));
      const next = `${id} ${first + chunk.length}`;
      const end = first + chunk.length === all.length ? position : '';
      const restored = await answered(
        this.#redis.curfewRestore(keys.length, ...keys, this.#versionTtlMs, values, mark, next, end),
      );
      if (restored === 0) return false;
      mark = next;
    }
    return true;
  }

  async read(subject: string, tenant?: string, sid?: string): Promise<SubjectVersions> {
    const subjectPartition = partitionOf(subject, this.#partitions);
    // All of it leaves at once.
    const [own, ofTenant, ofRealm, tombstone] = await answered(
      Promise.all([
        this.#read(subject, subjectScope(subject), ['claims', 'claimsAt']),
        tenant === undefined ? undefined : this.#read(tenant, tenantScope(tenant)),
        this.#read(REALM_ID, REALM_SCOPE),
        sid === undefined ? 0 : this.#redis.exists(versionKey(subjectPartition, sessionScope(sid))),
      ]),
    );
    const [claims, claimsAt] = own.more;
    return {
      subject: own.version,
      tenant: ofTenant?.version ?? { current: 0, floor: 0 },
      realm: ofRealm.version,
      tick: Math.min(own.tick, ofTenant?.tick ?? own.tick, ofRealm.tick),
      blocked: own.blocked || ofTenant?.blocked === true || ofRealm.blocked,
      sessionEnded: tombstone === 1,
      ...(claims == null ? {} : { claims: { json: claims, since: number(claimsAt) } }),
    };
  }

  async #read(id: string, scope: ScopeKey, fields: readonly string[] = []) {
    const partition = partitionOf(id, this.#partitions);
    // As one: a tick that vouches for versions must not be read before they are lost, and they afterwards.
    const answers = await this.#redis
      .multi()
      .hget(positionKey(partition), 'tick')
      .hmget(versionKey(partition, scope), 'current', 'floor', 'blocked', ...fields)
      .exec();
    const [tick, [current, floor, blocked, ...more] = []] = (answers ?? []).map(answerOf) as [
      string | null,
      (string | null)[],
    ];
    return {
      tick: number(tick),
      version: { current: number(current), floor: number(floor) },
      blocked: blocked === '1',
      more,
    };
  }
}

/** @throws the error that one command of a transaction met. */
function answerOf([error, answer]: [Error | null, unknown]): unknown {
  if (error) throw error;
  return answer;
}

const positionKey = (partition: number): string => `${PREFIX}pos:{p${partition}}`;
const versionKey = (partition: number, scope: ScopeKey): string => `${PREFIX}ver:{p${partition}}:${scope}`;
