import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CurfewError, partitionHash, positionKey, subjectScope, versionKey } from '@curfew/contracts';
import { createRedis, type RedisConnection, readVersions } from '@curfew/store';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { connectStore } from '../../../services/session-service/src/store/redis-connection.ts';
import { RedisVersions } from '../../../services/session-service/src/store/redis-versions.ts';
import { type RedisUser, redisPasswordOf, redisUsers } from '../../support/secured-redis.ts';

/** No other test's: its keys are in slots of their own. */
const PARTITIONS = 7919;
const scope = subjectScope('alice');
const scopes = { subject: { scope }, subjectHash: partitionHash('alice'), tenantHash: 0 };
const partition = scopes.subjectHash % PARTITIONS;

const directory = mkdtempSync(join(tmpdir(), 'curfew-cluster-users-'));
const users = redisUsers(directory);
let admin: RedisConnection;
const open: RedisConnection[] = [];

const onEveryMaster = (...rules: [string, ...string[]]) =>
  Promise.all(admin.masters().map((master) => master.call('ACL', 'SETUSER', ...rules)));

beforeAll(async () => {
  admin = createRedis(inject('clusterUrl'));
  await admin.start(() => {});
});
beforeEach(() => Promise.all(users.map(([name, ...rules]) => onEveryMaster(name, 'reset', ...rules))));
afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));
afterAll(async () => {
  for (const master of admin.masters()) for (const [name] of users) await master.acl('DELUSER', name);
  await admin.close();
  rmSync(directory, { recursive: true });
});

const away: CurfewError[] = [];
/** By a URL that names the user, and a password beside it. */
async function as(user: RedisUser, connect = createRedis): Promise<RedisConnection> {
  const [first = '', ...others] = inject('clusterUrl').split(',');
  const url = [first.replace('://', `://${user}@`), ...others].join(',');
  const redis = connect(url, { password: redisPasswordOf(user) });
  open.push(redis);
  away.length = 0;
  await redis.start((error) => away.push(error));
  return redis;
}

const NOPERM = expect.objectContaining({ message: expect.stringMatching(/^NOPERM /) });

test('the users do their work on a cluster, where the password comes beside the URL too', async () => {
  const service = await as('session-service', connectStore);
  const versions = new RedisVersions({ redis: service.client, partitions: PARTITIONS, versionTtlMs: 60_000 });
  await expect(versions.position(PARTITIONS - 1)).resolves.toBeTypeOf('number');
  const sidecar = await as('sidecar');
  await expect(readVersions(sidecar.client, scopes, PARTITIONS)).resolves.toMatchObject({ tick: 0 });
  await expect(sidecar.client.set(versionKey(0, scope), '9')).rejects.toEqual(NOPERM);
});

test('who may not ask whether the cluster is ready, without which ioredis leaves it in silence, is told so', async () => {
  await onEveryMaster('sidecar', '-cluster|info');
  const sidecar = await as('sidecar');
  expect(sidecar.notReady()).toEqual([expect.stringContaining('right_missing')]);
  expect(away).toHaveLength(1);
});

/** The slot of some keys is on its way from one master to another, and the keys have arrived. */
async function moveSlot(keys: readonly [string, ...string[]]): Promise<{ callOff(): Promise<void> }> {
  const masters = admin.masters();
  const owns = await Promise.all(masters.map((master) => master.exists(keys[0]).then(Boolean, () => false)));
  const from = masters[owns.indexOf(true)] as Redis;
  const to = masters[owns.indexOf(false)] as Redis;
  const [fromId, toId] = await Promise.all([from.cluster('MYID'), to.cluster('MYID')]);
  const slot = await from.cluster('KEYSLOT', keys[0]);
  await to.cluster('SETSLOT', slot, 'IMPORTING', fromId);
  await from.cluster('SETSLOT', slot, 'MIGRATING', toId);
  for (const key of keys) await from.migrate('127.0.0.1', to.options.port ?? 0, key, 0, 1000);
  const callOff = async () => {
    for (const key of keys) await admin.client.del(key);
    for (const master of [from, to]) await master.cluster('SETSLOT', slot, 'STABLE');
  };
  return { callOff };
}

test('while a slot moves its keys are read, and written by who may; who may not ask for them is refused', async () => {
  const [version, position] = [versionKey(partition, scope), positionKey(partition)] as const;
  await admin.client.hset(version, { current: 7, floor: 7 });
  await admin.client.hset(position, { tick: 1 });
  const move = await moveSlot([version, position]);
  try {
    const service = await as('session-service', connectStore);
    const written = service.client.multi().hset(version, 'current', 8).pexpire(version, 60_000).exec();
    await expect(written).resolves.toEqual([
      [null, 0],
      [null, 1],
    ]);
    for (const user of ['session-service', 'sidecar', 'sidecar-cookies'] as const) {
      const { client } = await as(user);
      const read = await readVersions(client, scopes, PARTITIONS);
      expect(read).toMatchObject({ subject: { current: 8, floor: 7 } });
      const withAbsent = readVersions(client, { ...scopes, session: { scope: subjectScope('absent') } }, PARTITIONS);
      await expect(withAbsent).rejects.toMatchObject({ code: 'store_unavailable' });
    }
    await onEveryMaster('sidecar', '-asking');
    const { client } = await as('sidecar');
    // And the promise that ioredis drops does not end the process.
    await expect(readVersions(client, scopes, PARTITIONS)).rejects.toMatchObject({ code: 'store_unavailable' });
  } finally {
    await move.callOff();
  }
});
