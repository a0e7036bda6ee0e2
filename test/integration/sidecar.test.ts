import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { encodeVersionRecord, partitionOf, type ScopeKey, TOPICS } from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import { sessionVersions } from '@curfew/replica';
import { createSidecar, type Sidecar, type SidecarOptions } from '@curfew/sidecar';
import { CompressionTypes, type Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { ensureTopics } from '../../services/session-service/src/events/kafka-topics.ts';
import { connectStore } from '../../services/session-service/src/store/redis-connection.ts';
import { RedisVersions } from '../../services/session-service/src/store/redis-versions.ts';
import { PARTITIONS } from '../support/account-event-records.ts';
import { tickIntoRedis, tickIntoVersions } from '../support/ticking.ts';
import { AUDIENCE, CLAIMS, createIssuer } from '../unit/sidecar/issuer.ts';

const { brokers, redisUrl } = inject('stack');
const kafka = createKafka({ brokers, clientId: 'sidecar-test' });
const admin = kafka.admin();
let producer: Producer;
const ticker = tickIntoVersions(() => producer, PARTITIONS);

beforeAll(async () => {
  await admin.connect();
  await ensureTopics(admin, PARTITIONS);
  producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  ticker.start();
});
afterAll(async () => {
  ticker.stop();
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

const sidecars: Sidecar[] = [];
let warnings: string[] = [];
afterEach(async () => {
  await Promise.all(sidecars.splice(0).map((sidecar) => sidecar.close()));
  warnings = [];
});

function sidecarWith(options: Partial<SidecarOptions> = {}): Sidecar {
  const sidecar = createSidecar({
    brokers,
    // Longer than the machine that runs the tests ever stands still.
    readThroughTimeoutMs: 2000,
    issuer: 'http://127.0.0.1:9',
    audience: AUDIENCE,
    service: 'orders',
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  sidecars.push(sidecar);
  return sidecar;
}

/** Each test has subjects of its own, as the topic is shared and keeps everything. */
let subjects = 0;
const newSubject = () => `sidecar-${process.pid}-${++subjects}`;

async function announce(scope: ScopeKey, version: number, compression = CompressionTypes.None): Promise<void> {
  const versions = { current: version, floor: version, at: version };
  const record = encodeVersionRecord({ kind: 'version', scope, ...versions, why: 'x', id: 'x', offset: 0 });
  await send(scope, record, compression);
}

const send = (scope: ScopeKey, record: { key: string; value: Buffer }, compression = CompressionTypes.None) =>
  producer.send({
    topic: TOPICS.sessionVersions,
    acks: -1,
    compression,
    messages: [{ ...record, partition: partitionOf(scope.slice(2), PARTITIONS) }],
  });

const session = (sub: string, s: number, at = Date.now()) =>
  sessionVersions({ ...CLAIMS, sub, sid: sub, ver: { s, t: Number.MAX_SAFE_INTEGER, r: Number.MAX_SAFE_INTEGER, at } });

describe('the start', () => {
  test('is over once every bump of the window is known', async () => {
    const subject = newSubject();
    await announce(`u:${subject}`, 5);
    const sidecar = sidecarWith();
    expect(sidecar.check(session(subject, 4))).toBe('unprovable');
    const started = sidecar.start();
    expect(sidecar.state).toBe('starting');
    await started;
    expect(sidecar.state).toBe('live');
    expect(sidecar.notReady()).toEqual([]);
    expect(sidecar.check(session(subject, 4))).toBe('revoked');
    expect(sidecar.check(session(subject, 5))).toBe('active');
  });

  test('leaves out what was announced before the window, and proves no session from then', async () => {
    const subject = newSubject();
    await announce(`u:${subject}`, 5);
    const mintedAt = Date.now();
    await sleep(1300);
    const sidecar = sidecarWith({ windowMs: 1000 });
    await sidecar.start();
    expect(sidecar.check(session(subject, 4, mintedAt))).toBe('unprovable');
    expect(sidecar.check(session(subject, 5, Date.now()))).toBe('active');
  });

  test('is refused by a topic with another number of partitions', async () => {
    const sidecar = sidecarWith({ partitions: PARTITIONS + 1, startTimeoutMs: 500 });
    await expect(sidecar.start()).rejects.toMatchObject({
      code: 'not_ready',
      detail: expect.stringContaining(`${TOPICS.sessionVersions} has ${PARTITIONS} partitions, not ${PARTITIONS + 1}`),
    });
    expect(sidecar.state).toBe('starting');
  });

  test('gives up after its limit while the sidecar goes on trying', async () => {
    const sidecar = sidecarWith({ brokers: ['127.0.0.1:9'], startTimeoutMs: 300 });
    await expect(sidecar.start()).rejects.toMatchObject({ code: 'not_ready' });
    expect(sidecar.notReady()[0]).toContain('Kafka does not answer');
  });
});

describe('a bump', () => {
  test('is applied within milliseconds of its acknowledgement', async () => {
    const sidecar = sidecarWith();
    await sidecar.start();
    const times: number[] = [];
    for (let i = 0; i < 60; i++) {
      const subject = newSubject();
      const old = session(subject, 1);
      await announce(`u:${subject}`, 5);
      const acknowledged = performance.now();
      while (sidecar.check(old) !== 'revoked') await turn();
      times.push(performance.now() - acknowledged);
    }
    times.sort((a, b) => a - b);
    console.log(
      `announcement acknowledged → applied: p50 ${times[30]?.toFixed(2)} ms, p98 ${times[58]?.toFixed(2)} ms`,
    );
    expect(times[30]).toBeLessThan(50);
  });

  test('is applied from a compressed batch as well', async () => {
    const sidecar = sidecarWith();
    await sidecar.start();
    const subject = newSubject();
    await announce(`u:${subject}`, 5, CompressionTypes.GZIP);
    await expect.poll(() => sidecar.check(session(subject, 4))).toBe('revoked');
  });

  test('behind a record that cannot be understood is applied, and what that one ended is no longer proven', async () => {
    const sidecar = sidecarWith();
    await sidecar.start();
    const subject = newSubject();
    await sleep(300); // The skew, after whatever unreadable record the topic already holds.
    const before = session(subject, 9);
    expect(sidecar.check(before)).toBe('active');
    await send(`u:${subject}`, { key: `u:${subject}`, value: Buffer.from('{') });
    await announce(`u:${subject}`, 5);
    await expect.poll(() => sidecar.check(session(subject, 4))).toBe('revoked');
    expect(sidecar.check(before)).toBe('unprovable');
    expect(sidecar.check(session(subject, 9, Date.now() + 1000))).toBe('active');
    expect(sidecar.state).toBe('live');
    expect(warnings.join()).toContain('cannot be understood');
  });
});

describe.each([
  ['one server', inject('stack').redisUrl],
  ['a cluster', inject('clusterUrl')],
])('a session from before the horizon, with %s of Redis', (_name, redisUrl) => {
  const redis = connectStore(redisUrl);
  const redisTicker = tickIntoRedis(redis.client, PARTITIONS);
  const store = new RedisVersions({ redis: redis.client, partitions: PARTITIONS, versionTtlMs: 60_000 });
  let jwks: Server;
  let issuerUrl: string;
  const issuer = createIssuer();

  beforeAll(async () => {
    await redis.start(() => {});
    redisTicker.start();
    redisTicker.tick();
    const { jwk } = await issuer;
    jwks = createServer((_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
    await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
    issuerUrl = `http://127.0.0.1:${(jwks.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    redisTicker.stop();
    await redis.close();
    jwks.closeAllConnections();
    jwks.close();
  });

  /** A token minted an hour ago with the versions that Redis has now. */
  async function oldToken(sub: string): Promise<string> {
    const { subject, realm } = await store.read(sub);
    const hourAgo = Date.now() - 3_600_000;
    const exp = Math.ceil(Date.now() / 1000) + 600;
    const ver = { s: subject.current, t: 0, r: realm.current, at: hourAgo };
    return (await issuer).sign({ iss: issuerUrl, sub, sid: sub, exp, ver });
  }

  async function bump(sub: string, scope: ScopeKey): Promise<void> {
    const partition = partitionOf(sub, PARTITIONS);
    const position = await store.position(partition);
    await store.apply(partition, position, position + 1, [
      { scope, offset: position + 1, time: Date.now(), ends: true },
    ]);
  }

  test('is read through to Redis once, then proven from memory', async () => {
    const sub = newSubject();
    await bump(sub, `u:${sub}`);
    const sidecar = sidecarWith({ issuer: issuerUrl, redisUrl });
    await sidecar.start();
    const token = await oldToken(sub);
    expect(await sidecar.authenticate(token)).toMatchObject({ ok: true, session: { provable: true, source: 'store' } });
    // Not at once: an earlier test's unreadable record has raised the horizon, and the skew comes on top.
    await vi.waitFor(() => {
      const next = sidecar.authenticate(token);
      expect(next).not.toBeInstanceOf(Promise);
      expect(next).toMatchObject({ ok: true, session: { subject: sub, provable: true, source: 'memory' } });
    }, 10_000);
  });

  test.each<[string, (sub: string) => ScopeKey]>([
    ['its subject was bumped', (sub) => `u:${sub}`],
    ['it has a tombstone', (sub) => `s:${sub}`],
  ])('is refused by what Redis says: %s', async (_name, scope) => {
    const sub = newSubject();
    const sidecar = sidecarWith({ issuer: issuerUrl, redisUrl });
    await sidecar.start();
    const token = await oldToken(sub);
    await bump(sub, scope(sub));
    expect(await sidecar.authenticate(token, 'lenient')).toEqual({
      ok: false,
      code: 'session_revoked',
      source: 'store',
    });
  });

  test('is left to the policy of the route while Redis is away', async () => {
    const sidecar = sidecarWith({ issuer: issuerUrl, redisUrl: 'redis://127.0.0.1:9' });
    await sidecar.start();
    const token = await oldToken(newSubject());
    expect(await sidecar.authenticate(token)).toEqual({ ok: false, code: 'view_stale', source: 'policy' });
    expect(await sidecar.authenticate(token, 'lenient')).toMatchObject({
      ok: true,
      session: { provable: false, source: 'policy' },
    });
    await sleep(300);
    expect(warnings.filter((warning) => warning.includes('Redis is away'))).toHaveLength(1);
  });
});

describe('the close', () => {
  const open = () => process.getActiveResourcesInfo().filter((resource) => !/^(Immediate|TTY)/.test(resource));

  /** What is open after a second at the latest, and was not before. */
  async function leftBehind(before: readonly string[]): Promise<string[]> {
    for (let tries = 1; ; tries++) {
      const known = [...before];
      const left = open().filter((one) => {
        const at = known.indexOf(one);
        if (at !== -1) known.splice(at, 1);
        return at === -1;
      });
      if (left.length === 0 || tries === 20) return left;
      await sleep(50);
    }
  }

  test.each([
    ['while it is live', async (sidecar: Sidecar) => sidecar.start()],
    ['while it starts', async (sidecar: Sidecar) => void sidecar.start().catch(() => {})],
    [
      'in the midst of its first requests',
      async (sidecar: Sidecar) => {
        sidecar.start().catch(() => {});
        await sleep(5);
      },
    ],
    ['while it is live, with a cluster of Redis', async (sidecar: Sidecar) => sidecar.start(), inject('clusterUrl')],
  ])('leaves no timer, socket or handle behind, %s', async (_when, begin, url = redisUrl) => {
    await sleep(100);
    const before = open();
    const sidecar = sidecarWith({ redisUrl: url });
    await begin(sidecar);
    await sidecar.close();
    expect(sidecar.state).toBe('closed');
    expect(await leftBehind(before)).toEqual([]);
  });

  test('leaves nothing behind while Redis is away', async () => {
    const before = open();
    const sidecar = sidecarWith({ redisUrl: 'redis://127.0.0.1:9' });
    await sidecar.start();
    await sleep(300);
    await sidecar.close();
    expect(await leftBehind(before)).toEqual([]);
  });

  test('ends a start that waits for a Kafka that is away', async () => {
    const sidecar = sidecarWith({ brokers: ['127.0.0.1:9'] });
    const started = expect(sidecar.start()).rejects.toMatchObject({ code: 'not_ready' });
    await sleep(200);
    await sidecar.close();
    await started;
  });
});
