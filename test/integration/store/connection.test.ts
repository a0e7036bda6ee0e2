import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { partitionHash, positionKey, subjectScope, versionKey } from '@curfew/contracts';
import { createRedis, readVersions } from '@curfew/store';
import type { Cluster, Redis } from 'ioredis';
import { describe, expect, inject, test, vi } from 'vitest';
import { onEachStore } from '../../support/stores.ts';

const SUBJECT = 'alice';
const scopes = {
  subject: { scope: subjectScope(SUBJECT) },
  subjectHash: partitionHash(SUBJECT),
  session: { scope: 's:laptop' },
  tenantHash: 0,
} as const;

/** A count of partitions that no other test has: its keys are all its own. */
const freshPartitions = () => randomInt(1_000_000, 2 ** 30);
const partitionIn = (partitions: number) => partitionHash(SUBJECT) % partitions;

onEachStore((redis) => {
  test('what is under way when a connection is lost fails at once; another is made, and counted', async () => {
    const before = redis.reconnects;
    for (const master of redis.masters())
      await master.call('CLIENT', 'KILL', 'ID', await master.client('ID'), 'SKIPME', 'no');
    const read = () => readVersions(redis.client, scopes, 12);
    const asked = performance.now();
    await read().catch(() => {});
    expect(performance.now() - asked).toBeLessThan(500);
    await vi.waitFor(read, 10_000);
    expect(redis.reconnects).toBeGreaterThan(before);
  });

  test('a script that the server has forgotten, as after a failover, is told again', async () => {
    await readVersions(redis.client, scopes, 12);
    for (const master of redis.masters()) await master.script('FLUSH');
    expect(await readVersions(redis.client, scopes, 12)).toMatchObject({ blocked: false });
  });

  test('a session is read as of the oldest tick of its partitions, and of none where one has no tick', async () => {
    const partitions = freshPartitions();
    const tenant = { ...scopes, tenant: { scope: 't:acme' }, tenantHash: partitionHash('acme') } as const;
    const read = () => readVersions(redis.client, tenant, partitions);
    const tick = (id: string, at: number) => redis.client.hset(positionKey(partitionHash(id) % partitions), 'tick', at);
    await tick(SUBJECT, 30);
    await tick('acme', 20);
    expect(await read()).toMatchObject({ tick: 0 });
    await tick('*', 40);
    expect(await read()).toMatchObject({ tick: 20 });
  });
});

describe('on a cluster', () => {
  test('what is asked of a slot that moves waits for it, and follows it', async () => {
    const redis = createRedis(inject('clusterUrl'));
    await redis.start(() => {});
    const cluster = redis.client as Cluster;
    const partitions = freshPartitions();
    const key = versionKey(partitionIn(partitions), scopes.subject.scope);
    await cluster.hset(key, 'current', 7, 'floor', 5);
    const read = () => readVersions(cluster, scopes, partitions);
    try {
      const move = await beginMove(cluster, key);
      const asked = read();
      await sleep(50);
      await move.end();
      expect(await asked).toMatchObject({ subject: { current: 7, floor: 5 } });
      expect(await read()).toMatchObject({ subject: { current: 7, floor: 5 } });
      expect(await move.target.exists(key)).toBe(1);
    } finally {
      await cluster.del(key);
      await redis.close();
    }
  });

  test('every server is asked by the user that the first URL names, those that it does not name as well', async () => {
    const [first = '', second = ''] = inject('clusterUrl').split(',');
    const named = createRedis([first.replace('://', '://reader:p%40ss@'), second].join(','));
    const admin = createRedis(inject('clusterUrl'));
    await admin.start(() => {});
    try {
      for (const master of admin.masters()) await master.acl('SETUSER', 'reader', 'on', '>p@ss', '~*', '+@all');
      await named.start(() => {});
      const users = await Promise.all(named.masters().map((master) => master.acl('WHOAMI')));
      expect(users).toEqual(['reader', 'reader', 'reader']);
    } finally {
      await named.close();
      for (const master of admin.masters()) await master.acl('DELUSER', 'reader');
      await admin.close();
    }
  });

  test('servers that are all away are told of once, with a code', async () => {
    const away = vi.fn();
    const redis = createRedis('redis://127.0.0.1:1,redis://127.0.0.1:2');
    await redis.start(away);
    try {
      await expect(readVersions(redis.client, scopes, 12)).rejects.toMatchObject({ code: 'store_unavailable' });
      expect(redis.notReady()).toHaveLength(1);
      await sleep(300);
      expect(away).toHaveBeenCalledTimes(1);
    } finally {
      await redis.close();
    }
  });
});

/** Moves the slot of a key to another master, and the key with it: for as long as it moves it is at both, and at none. */
async function beginMove(cluster: Cluster, key: string): Promise<{ target: Redis; end: () => Promise<void> }> {
  const slot = await cluster.cluster('KEYSLOT', key);
  const { 0: owner } = cluster.slots[slot] ?? [];
  const masters = cluster.nodes('master');
  const source = masters.find(({ options }) => `${options.host}:${options.port}` === owner);
  const target = masters.find((master) => master !== source);
  if (source === undefined || target === undefined) throw new Error('no two masters');
  const [sourceId, targetId] = await Promise.all([source, target].map((one) => one.cluster('MYID')));
  await target.cluster('SETSLOT', slot, 'IMPORTING', `${sourceId}`);
  await source.cluster('SETSLOT', slot, 'MIGRATING', `${targetId}`);
  await source.migrate(target.options.host ?? '', target.options.port ?? 0, key, 0, 1000);
  return {
    target,
    end: async () => {
      await target.cluster('SETSLOT', slot, 'NODE', `${targetId}`);
      await source.cluster('SETSLOT', slot, 'NODE', `${targetId}`);
    },
  };
}
