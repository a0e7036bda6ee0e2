import { randomUUID } from 'node:crypto';
import { partitionHash, positionKey, sessionScope, subjectScope, tenantScope, versionKey } from '@curfew/contracts';
import { answered, type RedisClient, readVersions, type SubjectVersions } from '@curfew/store';
import {
  type AnnouncedVersions,
  type AppliedVersion,
  type Change,
  RollbackError,
  type VersionStore,
} from './version-store.ts';

interface RedisVersionsOptions {
  readonly redis: RedisClient;
  readonly partitions: number;
  /** Life of a version, ms: at least that of the longest session. */
  readonly versionTtlMs: number;
}

/** Versions that one script restores. */
const RESTORE_CHUNK = 1000;

/** The versions in Redis: one hash per scope and one position per partition, in the partition's own slot. */
export class RedisVersions implements VersionStore {
  readonly #redis: RedisClient;
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

  read(subject: string, tenant?: string, sid?: string): Promise<SubjectVersions> {
    return readVersions(
      this.#redis,
      {
        subject: { scope: subjectScope(subject) },
        subjectHash: partitionHash(subject),
        tenant: tenant === undefined ? undefined : { scope: tenantScope(tenant) },
        tenantHash: tenant === undefined ? 0 : partitionHash(tenant),
        session: sid === undefined ? undefined : { scope: sessionScope(sid) },
      },
      this.#partitions,
    );
  }
}
