import { randomInt } from 'node:crypto';
import { positionKey, versionKey } from '@curfew/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connectStore } from '../../../services/session-service/src/store/redis-connection.ts';
import { RedisOutbox } from '../../../services/session-service/src/store/redis-outbox.ts';
import { RedisVersions } from '../../../services/session-service/src/store/redis-versions.ts';
import type { Change } from '../../../services/session-service/src/store/version-store.ts';
import { opaque, setOf } from '../../support/account-event-records.ts';
import { MemoryVersions } from '../../support/memory-stores.ts';
import { onEachStore } from '../../support/stores.ts';

const HOUR_MS = 3_600_000;

/** A partition that no other test, and no log, has. */
const freshPartition = () => randomInt(1_000_000, 2 ** 40);

const change = fc.record(
  {
    scope: fc.constantFrom('u:alice', 'u:bob', 't:acme', 'r', 's:sid') as fc.Arbitrary<Change['scope']>,
    time: fc.integer({ min: 0, max: 2 ** 42 }),
    ends: fc.boolean(),
    blocked: fc.boolean(),
    claims: fc.string({ unit: 'grapheme' }).map((role) => JSON.stringify({ roles: [role] })),
  },
  { requiredKeys: ['scope', 'time', 'ends'] },
);

onEachStore((redis) => {
  const versions = new RedisVersions({ redis: redis.client, partitions: 12, versionTtlMs: HOUR_MS });

  describe('the fold in Redis', () => {
    test('law: does what the model does, whatever batches come, come twice, or overlap', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(change, { minLength: 1, maxLength: 12 }),
          fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 6 }),
          async (changes, batches) => {
            const partition = freshPartition();
            const model = new MemoryVersions();
            const log = changes.map((one, offset): Change => ({ ...one, offset }));
            for (const [from, length] of [...batches, [0, 11] as const]) {
              const position = await model.position(partition);
              const batch = log.slice(Math.min(from, position + 1), from + length + 1);
              const last = batch.at(-1)?.offset ?? -1;
              const tick = batch.at(-1)?.time;
              const expected = await model.apply(partition, position, last, batch, tick);
              expect(await versions.apply(partition, position, last, batch, tick)).toEqual(expected);
              expect(await versions.position(partition)).toBe(await model.position(partition));
              const stored = Number(await redis.client.hget(positionKey(partition), 'tick'));
              expect(stored).toBe(model.ticks.get(partition));
            }
          },
        ),
        { numRuns: 60 },
      );
    });

    test('refuses a position that is behind what the caller knows, and changes nothing', async () => {
      const partition = freshPartition();
      const bump: Change = { scope: 'u:alice', offset: 5, time: 1000, ends: true };
      await versions.apply(partition, -1, 5, [bump]);
      await expect(versions.apply(partition, 9, 10, [{ ...bump, offset: 10 }])).rejects.toMatchObject({
        name: 'RollbackError',
        position: 5,
      });
      expect(await versions.apply(partition, 5, 5, [bump])).toEqual([
        { current: 1000, floor: 1000, applied: false, blocked: false, floorBefore: 0 },
      ]);
    });

    test('gives a version a TTL, and a position none', async () => {
      const partition = freshPartition();
      await versions.apply(partition, -1, 0, [{ scope: 'u:alice', offset: 0, time: 1000, ends: true }]);
      const ttl = await redis.client.pttl(versionKey(partition, 'u:alice'));
      expect(ttl).toBeGreaterThan(HOUR_MS - 10_000);
      expect(await redis.client.pttl(positionKey(partition))).toBe(-1);
    });

    test('starts again after the position was forgotten, and no version falls', async () => {
      const partition = freshPartition();
      const bump: Change = { scope: 'u:alice', offset: 5, time: 1000, ends: true };
      await versions.apply(partition, -1, 5, [bump]);
      await versions.forgetPosition(partition);
      const [again] = await versions.apply(partition, -1, 0, [{ ...bump, offset: 0, time: 10 }]);
      expect(again).toMatchObject({ current: 1001, floor: 1001, applied: true });
    });
  });

  test('a restored partition has every version that it had, at least, and what was announced of it', async () => {
    const partition = freshPartition();
    await versions.apply(partition, -1, 0, [{ scope: 'u:alice', offset: 0, time: 5000, ends: true }]);
    const announced = new Map([
      ['u:alice', { current: 1000, floor: 1000 }],
      ['u:bob', { current: 2000, floor: 1500, blocked: true as const }],
    ] as const);
    const restore = () => versions.restore(partition, { versions: announced, position: 7 });
    expect(await restore()).toBe(false);
    await versions.forgetPosition(partition);
    expect(await restore()).toBe(true);
    expect(await versions.position(partition)).toBe(7);
    const now = await versions.apply(partition, 7, 7, [
      { scope: 'u:alice', offset: 7, time: 0, ends: false },
      { scope: 'u:bob', offset: 7, time: 0, ends: false },
    ]);
    expect(now).toEqual([
      { current: 5000, floor: 5000, applied: false, blocked: false, floorBefore: 5000 },
      { current: 2000, floor: 2000, applied: false, blocked: true, floorBefore: 2000 },
    ]);
    expect(await redis.client.pttl(versionKey(partition, 'u:alice'))).toBeGreaterThan(0);
  });

  test('a block is never forgotten, and what it held back is, once it is lifted', async () => {
    const partition = freshPartition();
    const key = versionKey(partition, 'u:bob');
    const event = { scope: 'u:bob', time: 1000, ends: true } as const;
    await versions.apply(partition, -1, 0, [{ ...event, offset: 0, blocked: true }]);
    await versions.apply(partition, 0, 1, [{ ...event, offset: 1 }]);
    expect(await redis.client.pttl(key)).toBe(-1);
    await versions.apply(partition, 1, 2, [{ ...event, offset: 2, blocked: false }]);
    expect(await redis.client.pttl(key)).toBeGreaterThan(0);
  });

  test('the outbox gives back what was put into it, in order, and expires as a whole', async () => {
    const outbox = new RedisOutbox(redis.client);
    await redis.client.del('curfew:outbox');
    const waiting = (jti: string) => ({ set: setOf('urn:x', opaque('alice'), {}, jti), since: 7 });
    for (const jti of ['a', 'b', 'c']) await outbox.add(waiting(jti));
    expect(await outbox.first()).toEqual(waiting('a'));
    await outbox.remove(waiting('b'));
    await outbox.remove(waiting('a'));
    expect(await outbox.first()).toEqual(waiting('c'));
    expect(await redis.client.pttl('curfew:outbox')).toBeGreaterThan(0);
    await outbox.remove(waiting('c'));
    expect(await outbox.first()).toBeUndefined();
  });
});

test('a store that is away fails at once, with a code and without what was asked', async () => {
  const away = connectStore('redis://127.0.0.1:1');
  away.start(() => {});
  try {
    const lost = new RedisVersions({ redis: away.client, partitions: 12, versionTtlMs: HOUR_MS });
    await expect(lost.read('alice')).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.not.stringContaining('alice'),
    });
    expect(away.notReady()).toHaveLength(1);
  } finally {
    away.close();
  }
});
