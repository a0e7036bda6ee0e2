import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../../infra/local/ports.mjs';
import { type RunningRedis, startRedis } from '../../../infra/local/redis.mjs';
import { connectStore } from '../../../services/session-service/src/store/redis-connection.ts';
import { StoreWatch } from '../../../services/session-service/src/store/redis-watch.ts';
import { onEachStore } from '../../support/stores.ts';

onEachStore((redis) => {
  test('a server that may drop keys is warned of, once a minute for as long as it may', async () => {
    const warnings: string[] = [];
    const watch = new StoreWatch({ redis, warn: (message) => warnings.push(message) });
    await watch.look();
    expect(watch.figures).toMatchObject({ evicting: [], evictedKeys: 0, replicas: 0, replicationLagS: 0 });
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

describe('of a server with a replica', () => {
  const WAIT = { timeout: 20_000, interval: 50 };
  let directory: string;
  let servers: RunningRedis[] = [];
  let redis: ReturnType<typeof connectStore>;
  let replica: ReturnType<typeof connectStore>;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'curfew-replica-'));
    const ports = await freePorts(2);
    servers = await Promise.all(ports.map((port) => startRedis({ port, directory: `${directory}/${port}` })));
    const [first, second] = servers.map(({ url }) => connectStore(url)) as [typeof redis, typeof redis];
    [redis, replica] = [first, second];
    await Promise.all([redis.start(() => {}), replica.start(() => {})]);
  });
  afterAll(async () => {
    await Promise.all([redis?.close(), replica?.close()]);
    await Promise.all(servers.map((server) => server.stop()));
    await rm(directory, { recursive: true, force: true });
  });

  test('it counts the replica while it follows: not while it copies everything, and not once it is gone', async () => {
    const watch = new StoreWatch({ redis, warn: () => {} });
    const replicas = async () => {
      await watch.look();
      return watch.figures?.replicas;
    };
    const [master, follower] = [...redis.masters(), ...replica.masters()] as [Redis, Redis];
    // Until it is told otherwise, it lets the replica wait for its copy.
    await master.config('SET', 'repl-diskless-sync-delay', '3600');
    await follower.replicaof('127.0.0.1', `${master.options.port}`);
    await expect.poll(() => master.info('replication'), WAIT).toMatch(/^connected_slaves:1/m);
    expect(await replicas()).toBe(0);
    await master.config('SET', 'repl-diskless-sync-delay', '0');
    await expect.poll(replicas, WAIT).toBe(1);
    await servers[1]?.stop();
    await expect.poll(replicas, WAIT).toBe(0);
    expect(watch.figures?.replicationLagS).toBe(0);
  });
});
