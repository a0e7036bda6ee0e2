import { KEY_PREFIX } from '@curfew/contracts';
import type { RedisConnection } from '@curfew/store';
import { afterAll, beforeAll, describe, inject } from 'vitest';
import { connectStore } from '../../services/session-service/src/store/redis-connection.ts';

/** Runs tests on one Redis server, and once more on a cluster. */
export function onEachStore(tests: (redis: RedisConnection) => void): void {
  const urls = { 'one server': inject('stack').redisUrl, 'a cluster': inject('clusterUrl') };
  describe.each(Object.entries(urls))('on %s', (_, url) => {
    const redis = connectStore(url);
    beforeAll(() => redis.start(() => {}));
    afterAll(() => redis.close());
    tests(redis);
  });
}

/** Curfew's keys that never expire, on whichever server of the store. */
export async function keysWithoutEnd(redis: RedisConnection): Promise<string[]> {
  const found: string[] = [];
  for (const master of redis.masters())
    for await (const keys of master.scanStream({ match: `${KEY_PREFIX}*`, count: 1000 }))
      for (const key of keys as string[]) if ((await master.pttl(key)) === -1) found.push(key);
  return found;
}
