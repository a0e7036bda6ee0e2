import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  type CurfewError,
  encodeNewRecord,
  newSessionId,
  partitionHash,
  type RefusalCode,
  sessionIdHash,
  sessionKey,
  sidOf,
  subjectScope,
  versionKey,
} from '@curfew/contracts';
import { createRedis, type RedisConnection, readUsedRecord, readVersions } from '@curfew/store';
import type { RedisKey } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { removeDirectory } from '../../../infra/local/remove-directory.mjs';
import { connectStore } from '../../../services/session-service/src/store/redis-connection.ts';
import { RedisVersions } from '../../../services/session-service/src/store/redis-versions.ts';
import { authority, signedBy } from '../../support/certificates.ts';
import {
  type RedisAddress,
  type RedisUser,
  type SecuredRedis,
  startSecuredRedis,
} from '../../support/secured-redis.ts';
import { sessionRecord } from '../../support/session-records.ts';

const PARTITIONS = 4;
const scopes = { subject: { scope: subjectScope('alice') }, subjectHash: partitionHash('alice'), tenantHash: 0 };

let directory: string;
let secured: SecuredRedis;
const open: RedisConnection[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'curfew-secured-redis-'));
  secured = await startSecuredRedis(directory);
});
afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));
afterAll(async () => {
  await secured?.stop();
  await removeDirectory(directory);
});

const away: CurfewError[] = [];
async function connected({ url, security }: RedisAddress, connect = createRedis): Promise<RedisConnection> {
  const redis = connect(url, security);
  open.push(redis);
  away.length = 0;
  await redis.start((error) => away.push(error));
  return redis;
}
const as = (user: RedisUser) => connected(secured.as(user));

const MISSING = { code: 'store_unavailable', reason: 'right_missing' };
const NOPERM = expect.objectContaining({ message: expect.stringMatching(/^NOPERM /) });

describe('with the users of infra/redis/users.acl, over TLS', () => {
  test('the session service applies events, and a sidecar reads what came of them', async () => {
    const service = await connected(secured.as('session-service'), connectStore);
    const versions = new RedisVersions({ redis: service.client, partitions: PARTITIONS, versionTtlMs: 60_000 });
    const change = { scope: scopes.subject.scope, offset: 0, time: 7, ends: true };
    await versions.apply(partitionHash('alice') % PARTITIONS, -1, 0, [change]);
    for (const user of ['sidecar', 'sidecar-cookies'] as const) {
      const { client } = await as(user);
      expect(await readVersions(client, scopes, PARTITIONS)).toMatchObject({ subject: { current: 7, floor: 7 } });
    }
  });

  test('a session service as a sidecar’s user applies nothing, and is told right_missing', async () => {
    const { client } = await connected(secured.as('sidecar'), connectStore);
    const versions = new RedisVersions({ redis: client, partitions: PARTITIONS, versionTtlMs: 60_000 });
    const change = { scope: scopes.subject.scope, offset: 99, time: 99, ends: true };
    await expect(versions.apply(partitionHash('alice') % PARTITIONS, -1, 99, [change])).rejects.toMatchObject(MISSING);
  });

  test.each<[RedisUser, string, (key: RedisKey) => readonly [string, ...RedisKey[]]]>([
    ['sidecar', 'SET', (key) => ['SET', key, '9']],
    ['sidecar', 'HSET', (key) => ['HSET', key, 'current', '9']],
    ['sidecar', 'DEL', (key) => ['DEL', key]],
    ['sidecar', 'HGET of a session', () => ['HGET', sessionKey('x'), 'u']],
    ['sidecar-cookies', 'SET', (key) => ['SET', key, '9']],
    ['sidecar-cookies', 'HSET', (key) => ['HSET', key, 'current', '9']],
    ['sidecar-cookies', 'DEL of a session', () => ['DEL', sessionKey('x')]],
    ['operator', 'HGET', (key) => ['HGET', key, 'current']],
    ['session-service', 'FLUSHALL', () => ['FLUSHALL']],
    ['session-service', 'GET of what is not Curfew’s', () => ['GET', 'other']],
  ])('%s may not do %s', async (user, _, command) => {
    const { client } = await as(user);
    const [name, ...args] = command(versionKey(0, scopes.subject.scope));
    await expect((client as unknown as Caller).call(name, ...args)).rejects.toEqual(NOPERM);
  });

  test('no script of a sidecar’s writes a version either', async () => {
    for (const user of ['sidecar', 'sidecar-cookies'] as const) {
      const { client } = await as(user);
      const key = versionKey(0, scopes.subject.scope);
      const script = 'return redis.call("HSET", KEYS[1], "current", 9)';
      await expect(client.eval(script, 1, key)).rejects.toThrow(
        /ACL failure in script|The user executing the script can't/,
      );
    }
  });

  test('a session’s record is read, and its use noted, by the user for cookies alone', async () => {
    const service = await as('session-service');
    const id = newSessionId();
    const record = sessionRecord({ sid: sidOf(id), idHash: sessionIdHash(id), lastSeenAt: Date.now() - 120_000 });
    const key = sessionKey(record.sid);
    await service.client.hset(key, encodeNewRecord(record));
    await service.client.pexpireat(key, Date.now() + 1000);
    const read = async (user: RedisUser) => readUsedRecord((await as(user)).client, record.sid, sessionIdHash(id));
    await expect(read('sidecar')).rejects.toMatchObject(MISSING);
    expect((await read('sidecar-cookies')).fields).toMatchObject({ u: record.subject });
    expect(Number(await service.client.hget(key, 'l')) * 1000).toBeGreaterThan(record.lastSeenAt);
    expect(await service.client.pexpire(key, 1)).toBe(1);
  });
});

test('a script that a sidecar’s password was used to send, and that does not end, is ended by the operator', async () => {
  const [operator, sidecar, other] = [await as('operator'), await as('sidecar'), await as('sidecar')];
  const endless = sidecar.client.eval('while true do end', 0).catch((error: unknown) => error);
  await vi.waitFor(() => expect(other.client.ping()).rejects.toThrow(/^BUSY /), { timeout: 5000 });
  await expect((other.client as unknown as Caller).call('SCRIPT', 'KILL')).rejects.toEqual(NOPERM);
  await expect((operator.client as unknown as Caller).call('SCRIPT', 'KILL')).resolves.toBe('OK');
  await endless;
  await expect(other.client.ping()).resolves.toBe('PONG');
});

/** `call` as any client has it, whatever overloads its type has. */
interface Caller {
  call(name: string, ...args: RedisKey[]): Promise<unknown>;
}

describe('a client that Redis does not take, or that does not take Redis', () => {
  const cases: [RefusalCode, string, () => Promise<RedisAddress> | RedisAddress][] = [
    ['credentials_refused', 'a wrong password', () => secured.as('sidecar', { password: 'planted-secret' })],
    ['credentials_refused', 'no user', () => ({ ...secured.as('sidecar'), url: withoutUser(), security: tls() })],
    ['certificate_untrusted', 'an unknown authority', async () => secured.as('sidecar', await otherAuthority())],
    ['certificate_untrusted', 'no authority', () => secured.as('sidecar', { tls: {} })],
    ['certificate_expired', 'an expired certificate', () => secured.expired],
    ['certificate_misnamed', 'a certificate for another address', () => secured.misnamed],
    ['certificate_refused', 'no certificate of its own', () => secured.withCertificate({})],
    [
      'certificate_refused',
      'a certificate that has expired',
      async () => secured.withCertificate(await signedBy(secured.ca, 'sidecar', -1)),
    ],
  ];
  const tls = () => ({ tls: { ca: secured.ca.cert } });
  const withoutUser = () => secured.as('sidecar').url.replace('sidecar@', '');
  const otherAuthority = async () => ({ tls: { ca: (await authority()).cert } });

  test.each(cases)('is told %s, by %s, once; and says so where its readiness is asked', async (reason, _, address) => {
    const redis = await connected(await address());
    await expect.poll(() => redis.notReady()).toEqual([expect.stringContaining(reason)]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(away).toEqual([expect.objectContaining({ code: 'store_unavailable', reason })]);
    expect(inspect(away, { depth: 9, showHidden: true })).not.toContain('planted-secret');
  });

  test('is taken with a certificate of its own that Redis trusts', async () => {
    const redis = await connected(secured.withCertificate(await signedBy(secured.ca, 'sidecar')));
    expect(redis.notReady()).toEqual([]);
    expect(away).toEqual([]);
  });

  test('is told that its URL is none, without a word of it', () => {
    const create = () => createRedis('redis://sidecar:planted/secret@redis:6379');
    expect(create).toThrow(expect.objectContaining({ code: 'option_invalid' }));
    expect(create).not.toThrow(/planted/);
  });
});
