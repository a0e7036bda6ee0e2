import { randomUUID } from 'node:crypto';
import { CANARY_INDEX_KEY, REVOCATION_INDEX_KEY, revocationKey } from '@curfew/contracts';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Wanted } from '../../../services/session-service/src/receipts/ledger.ts';
import type { Outcome } from '../../../services/session-service/src/receipts/revocation.ts';
import { RedisLedger } from '../../../services/session-service/src/store/redis-ledger.ts';
import { MemoryLedger } from '../../support/memory-ledger.ts';
import { revocationOf } from '../../support/receipts.ts';
import { keysWithoutEnd, onEachStore } from '../../support/stores.ts';

const OUTCOME: Outcome = { service: 'orders', instance: 'a', state: 'live', by: 'receipt', effectiveAt: 7 };

onEachStore((redis) => {
  const ledger = new RedisLedger(redis.client);
  const kept = (id: string, at: number, members = {}) => revocationOf(at, { id: `${id} ${run}`, ...members });
  let run: string;
  beforeEach(async () => {
    run = randomUUID();
    await redis.client.del(REVOCATION_INDEX_KEY);
    await redis.client.del(CANARY_INDEX_KEY);
  });

  describe('the ledger', () => {
    test('keeps a revocation as it was announced first, and what became of it', async () => {
      const first = kept('a', 5);
      await ledger.add([first]);
      await ledger.add([{ ...first, announcedAt: 99 }]);
      expect(await ledger.read(first.id)).toEqual(first);
      await ledger.settle({ ...first, outcomes: [OUTCOME] });
      await ledger.add([first]);
      expect(await ledger.read(first.id)).toEqual({ ...first, outcomes: [OUTCOME] });
    });

    test('keeps what became of one that it could not keep when it was announced', async () => {
      const one = kept('a', 6, { outcomes: [OUTCOME] });
      await ledger.settle(one);
      expect(await ledger.read(one.id)).toEqual(one);
      const { revocations } = await ledger.newest({ limit: 10, canaries: false, since: 0, scopes: [] });
      expect(revocations).toEqual([one]);
    });

    test('says which of those that are announced again are over', async () => {
      const [over, open] = [kept('over', 5), kept('open', 6)];
      expect(await ledger.add([over, open])).toEqual(new Set());
      await ledger.settle({ ...over, outcomes: [] });
      expect(await ledger.add([over, open])).toEqual(new Set([over.id]));
    });

    test.each([{ partition: 3 }, { offset: 9 }])('has another event of the same name give way: %o', async (place) => {
      const one = kept('a', 5);
      const another = { ...one, ...place, at: 7 };
      await ledger.add([one]);
      await ledger.settle({ ...one, outcomes: [OUTCOME] });
      expect(await ledger.add([another])).toEqual(new Set());
      await ledger.settle({ ...one, outcomes: [OUTCOME, OUTCOME] });
      expect(await ledger.read(one.id)).toEqual(another);
      await ledger.settle({ ...another, outcomes: [OUTCOME] });
      expect(await ledger.read(one.id)).toEqual({ ...another, outcomes: [OUTCOME] });
    });

    test('keeps what was said first, unless more is said later', async () => {
      const one = kept('a', 5);
      await ledger.add([one]);
      const outcomes = [OUTCOME, { ...OUTCOME, instance: 'b', exposed: 2 }];
      await ledger.settle({ ...one, outcomes });
      const late = { ...OUTCOME, instance: 'late', exposed: 3 };
      for (const fewer of [[], [OUTCOME], [OUTCOME, { ...OUTCOME, by: 'lease' } as const], [late, OUTCOME]])
        await ledger.settle({ ...one, outcomes: fewer });
      expect(await ledger.read(one.id)).toEqual({ ...one, outcomes });
      const more = outcomes.map((outcome) => ({ ...outcome, exposed: 4 }));
      await ledger.settle({ ...one, outcomes: more });
      expect(await ledger.read(one.id)).toEqual({ ...one, outcomes: more });
    });

    test('forgets after a day what is kept and what is indexed, settled or not', async () => {
      const one = kept('a', 5);
      await ledger.add([one, kept('b', 6, { canary: true })]);
      await ledger.settle({ ...one, outcomes: [OUTCOME] });
      expect(await redis.client.pttl(revocationKey(one.id))).toBeGreaterThan(86_000_000);
      const endless = await keysWithoutEnd(redis);
      expect(endless.filter((key) => key.startsWith('curfew:rev'))).toEqual([]);
    });

    test('leaves out what another version kept in another way, and keeps it anew', async () => {
      const [one, two] = [kept('a', 5), kept('b', 6)];
      await ledger.add([one, two]);
      await redis.client.set(revocationKey(one.id), JSON.stringify(one));
      const { revocations } = await ledger.newest({ limit: 10, canaries: false, since: 0, scopes: [] });
      expect(revocations.map(({ id }) => id)).toEqual([two.id]);
      await ledger.settle({ ...one, outcomes: [OUTCOME] });
      expect(await ledger.read(one.id)).toEqual({ ...one, outcomes: [OUTCOME] });
    });

    test('keeps a canary for an hour, settled or not', async () => {
      const canary = kept('canary', 5, { canary: true });
      await ledger.add([canary]);
      await ledger.settle({ ...canary, outcomes: [OUTCOME] });
      expect(await redis.client.pttl(revocationKey(canary.id))).toBeLessThanOrEqual(3_600_000);
    });

    test('keeps little of what became of one on each sidecar', async () => {
      const one = kept('a', 5);
      const outcomes = Array.from({ length: 200 }, (_, i) => {
        const appliedAt = Date.now() + (i % 40);
        return { ...OUTCOME, instance: `orders-${randomUUID()}`, appliedAt, effectiveAt: appliedAt, exposed: 0 };
      });
      await ledger.settle({ ...one, outcomes });
      expect(await ledger.read(one.id)).toEqual({ ...one, outcomes });
      expect(await redis.client.memory('USAGE', revocationKey(one.id))).toBeLessThan(200 * 50);
    });

    test('keeps what ended nothing for ten minutes, and lists it nowhere', async () => {
      const nothing = kept('nothing', 5, { scopes: [] });
      await ledger.add([nothing]);
      expect(await ledger.read(nothing.id)).toEqual(nothing);
      expect(await redis.client.pttl(revocationKey(nothing.id))).toBeLessThanOrEqual(600_000);
      expect((await ledger.newest({ limit: 10, canaries: true, since: 0, scopes: [] })).revocations).toEqual([]);
    });

    test('lists as its model does', async () => {
      const model = new MemoryLedger();
      const all = [
        ...Array.from({ length: 120 }, (_, i) => kept(`${i}`, i, { scopes: [i % 3 === 0 ? 'u:alice' : 'u:bob'] })),
        ...Array.from({ length: 20 }, (_, i) => kept(`canary ${i}`, i * 5 + 0.5, { canary: true })),
      ];
      await ledger.add(all);
      await model.add(all);
      const wanted: Wanted = { limit: 30, canaries: false, since: 0, scopes: [] };
      for (const some of [{}, { canaries: true }, { since: 100 }, { scopes: ['u:alice'] }, { limit: 1000, since: 3 }])
        expect(await ledger.newest({ ...wanted, ...some })).toEqual(await model.newest({ ...wanted, ...some }));
    });

    test('indexes the last thousand, however many canaries there were since', async () => {
      await ledger.add(Array.from({ length: 1001 }, (_, i) => kept(`${i}`, i + 1)));
      await ledger.add(Array.from({ length: 1001 }, (_, i) => kept(`canary ${i}`, 2000 + i, { canary: true })));
      const wanted = { limit: 5000, canaries: false, since: 0, scopes: [] };
      const { revocations, isTruncated } = await ledger.newest(wanted);
      // The one that is not there any more may be what is looked for.
      expect(isTruncated).toBe(true);
      expect((await ledger.newest({ ...wanted, scopes: ['u:bob'] })).isTruncated).toBe(true);
      expect((await ledger.newest({ ...wanted, limit: 1000 })).isTruncated).toBe(false);
      expect((await ledger.newest({ ...wanted, since: 2 })).isTruncated).toBe(false);
      expect(revocations.map(({ at }) => at)).toEqual(Array.from({ length: 1000 }, (_, i) => 1001 - i));
    });
  });
});
