import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { StoreWatch } from '../../../services/session-service/src/store/redis-watch.ts';
import { onEachStore } from '../../support/stores.ts';

onEachStore((redis) => {
  test('a server that may drop keys is warned of, once a minute for as long as it may', async () => {
    const warnings: string[] = [];
    const watch = new StoreWatch({ redis, warn: (message) => warnings.push(message) });
    await watch.look();
    expect(watch.figures).toMatchObject({ evicting: [], evictedKeys: 0, replicationLagS: 0 });
    const [master] = redis.masters() as [Redis];
    await master.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      for (let looks = 1; looks <= 7; looks++) {
        await watch.look();
        expect(warnings).toHaveLength(looks < 7 ? 1 : 2);
      }
      expect(watch.figures?.evicting).toEqual(['allkeys-lru']);
    } finally {
      await master.config('SET', 'maxmemory-policy', 'noeviction');
    }
    await watch.look();
    expect(watch.figures?.evicting).toEqual([]);
  });

  test('its figures are those of all servers together', async () => {
    const watch = new StoreWatch({ redis, warn: () => {} });
    await watch.look();
    const used = await Promise.all(
      redis.masters().map(async (one) => /used_memory:(\d+)/.exec(await one.info('memory'))),
    );
    const sum = used.reduce((total, found) => total + Number(found?.[1]), 0);
    expect((watch.figures?.usedMemoryBytes ?? 0) / sum).toBeCloseTo(1, 1);
  });
});
