import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { TOPICS } from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import { createSidecar, type Sidecar, type SidecarOptions } from '@curfew/sidecar';
import { Redis } from 'ioredis';
import type { Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startKafka } from '../../infra/local/kafka.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import type { Started } from '../../infra/local/processes.mjs';
import { startRedis } from '../../infra/local/redis.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { ensureTopics } from '../../services/session-service/src/events/kafka-topics.ts';
import { TcpLink } from '../prove/tcp-link.ts';
import { tickIntoRedis, tickIntoVersions } from '../support/ticking.ts';
import { AUDIENCE, createIssuer } from '../unit/sidecar/issuer.ts';

/** The sidecar's links are cut here one by one, while the ticks of a session service elsewhere go on. */
const PARTITIONS = 4;
const BOUND = 1500;
const READ_TIMEOUT_MS = 50;
/** A bound that no tick can keep: verifies a token, and proves nothing. */
const NO_TICK = 1;
/** What a test's own work may add to a time on a busy machine, ms. */
const SLACK_MS = 100;
const WAIT = { timeout: 10_000, interval: 10 };

let directory: string;
let kafka: Started & { brokers: string };
let redis: Started & { url: string };
let redisClient: Redis;
let producer: Producer;
let jwks: Server;
let issuerUrl: string;
const issuer = await createIssuer();
const stops: (() => unknown)[] = [];
const sidecars: Sidecar[] = [];

beforeAll(async () => {
  directory = await mkdtemp(`${tmpdir()}/curfew-bound-`);
  const [kafkaPort = 0, redisPort = 0] = await freePorts(2);
  [kafka, redis] = await Promise.all([
    startKafka({ port: kafkaPort, directory }),
    startRedis({ port: redisPort, directory }),
  ]);
  const client = createKafka({ brokers: [kafka.brokers], clientId: 'bound-test' });
  const admin = client.admin();
  producer = client.producer({ allowAutoTopicCreation: false });
  await Promise.all([admin.connect(), producer.connect()]);
  await ensureTopics(admin, PARTITIONS);
  await admin.disconnect();
  redisClient = new Redis(redis.url);
  redisClient.on('error', () => {});
  for (const ticker of [tickIntoVersions(() => producer, PARTITIONS), tickIntoRedis(redisClient, PARTITIONS)]) {
    ticker.start();
    ticker.tick();
    stops.push(() => ticker.stop());
  }
  jwks = createServer((_request, response) => response.end(JSON.stringify({ keys: [issuer.jwk] })));
  await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
  issuerUrl = `http://127.0.0.1:${(jwks.address() as AddressInfo).port}`;
});

afterAll(async () => {
  for (const stop of stops) stop();
  await producer?.disconnect().catch(() => {});
  redisClient?.disconnect();
  jwks?.closeAllConnections();
  jwks?.close();
  await Promise.all([kafka?.stop('SIGKILL'), redis?.stop('SIGKILL')]);
  await removeDirectory(directory);
});

afterEach(async () => {
  for (const { pid } of [kafka, redis]) process.kill(-pid, 'SIGCONT');
  await Promise.all(sidecars.splice(0).map((sidecar) => sidecar.close()));
});

function sidecarWith(options: Partial<SidecarOptions> = {}): Sidecar {
  const sidecar = createSidecar({
    brokers: [kafka.brokers],
    redisUrl: redis.url,
    issuer: issuerUrl,
    audience: AUDIENCE,
    service: 'orders',
    maxViewAgeMs: BOUND,
    readThroughTimeoutMs: READ_TIMEOUT_MS,
    ...options,
  });
  sidecars.push(sidecar);
  return sidecar;
}

const pause = ({ pid }: Started) => process.kill(-pid, 'SIGSTOP');
const resume = ({ pid }: Started) => process.kill(-pid, 'SIGCONT');

let subjects = 0;
/** Of a subject that was never bumped; `agoMs` says how old its session is. */
const newToken = (agoMs = 0): Promise<string> => {
  const sub = `bound-${++subjects}`;
  const exp = Math.ceil(Date.now() / 1000) + 600;
  return issuer.sign({ iss: issuerUrl, sub, sid: sub, exp, ver: { s: 0, t: 0, r: 0, at: Date.now() - agoMs } });
};

async function live(options: Partial<SidecarOptions> = {}): Promise<Sidecar> {
  const sidecar = sidecarWith(options);
  await sidecar.start();
  await vi.waitFor(() => expect(sidecar.state).toBe('live'), WAIT);
  await sidecar.authenticate(await newToken()); // Fetches the keys.
  return sidecar;
}

const accepted = (source: string) => ({ ok: true, session: { provable: source !== 'policy', source } });
const VIEW_STALE = { ok: false, code: 'view_stale', source: 'policy' };
const HOUR_MS = 3_600_000;

/** How long a decision took, ms, and what it was. */
async function timed(sidecar: Sidecar, token: string) {
  const from = performance.now();
  const answer = await sidecar.authenticate(token);
  return { answer, tookMs: performance.now() - from };
}

describe('a sidecar whose Redis hangs', () => {
  test('decides by memory as before, and costs what memory cannot prove no more than the read may take', async () => {
    const sidecar = await live();
    const young = await newToken();
    const old = await newToken(HOUR_MS);
    expect(await sidecar.authenticate(young)).toMatchObject(accepted('memory'));
    expect(await sidecar.authenticate(old)).toMatchObject(accepted('store'));
    const others = await Promise.all(Array.from({ length: 20 }, () => newToken(HOUR_MS)));
    // Their signatures are verified before, so that only the ladder is timed.
    for (const token of others) await sidecar.authenticate(token, 'strict', NO_TICK);
    pause(redis);
    for (const token of others) {
      const { answer, tookMs } = await timed(sidecar, token);
      expect(answer).toEqual(VIEW_STALE);
      expect(tookMs).toBeLessThan(READ_TIMEOUT_MS + SLACK_MS);
      expect(sidecar.authenticate(young)).toMatchObject(accepted('memory'));
    }
    // The circuit is open by now: most reads are not even tried.
    const times: number[] = [];
    for (const token of others) times.push((await timed(sidecar, token)).tookMs);
    times.sort((a, b) => a - b);
    expect(times[times.length / 2]).toBeLessThan(5);
    expect(sidecar.state).toBe('live');
    resume(redis);
    await vi.waitFor(async () => expect(await sidecar.authenticate(old)).toMatchObject({ ok: true }), WAIT);
  });
});

describe('a sidecar whose Kafka hangs', () => {
  test('is cut off within the bound, and then decides by Redis, until its views are young again', async () => {
    const sidecar = await live();
    const token = await newToken();
    expect(await sidecar.authenticate(token)).toMatchObject(accepted('memory'));
    pause(kafka);
    await vi.waitFor(() => expect(sidecar.state).toBe('cut-off'), { timeout: BOUND + SLACK_MS, interval: 10 });
    expect(await sidecar.authenticate(token)).toMatchObject(accepted('store'));
    await vi.waitFor(() => expect(sidecar.status()).toContain('Kafka does not answer'), WAIT);
    await sleep(500);
    expect(await sidecar.authenticate(token)).toMatchObject(accepted('store'));
    expect(sidecar.notReady()).toEqual([]);
    resume(kafka);
    const resumed = performance.now();
    await vi.waitFor(() => expect(sidecar.authenticate(token)).toMatchObject(accepted('memory')), WAIT);
    expect(performance.now() - resumed).toBeLessThan(5000);
  });

  test('decides by the policy of the route within the bound, where Redis is away too', async () => {
    const alone = await live({ redisUrl: redis.url.replace(/\d+$/, '9') });
    const token = await newToken();
    expect(await alone.authenticate(token)).toMatchObject(accepted('memory'));
    pause(kafka);
    await sleep(BOUND);
    expect(await alone.authenticate(token)).toEqual(VIEW_STALE);
    expect(await alone.authenticate(token, 'lenient')).toMatchObject(accepted('policy'));
    expect(alone.notReady().join()).toContain('Redis proves nothing either');
  });

  test('starts nevertheless, and serves by Redis at once', async () => {
    pause(kafka);
    const sidecar = sidecarWith({ partitions: PARTITIONS });
    const from = performance.now();
    await sidecar.start();
    expect(performance.now() - from).toBeLessThan(1000);
    expect([sidecar.state, sidecar.notReady()]).toEqual(['starting', []]);
    const token = await newToken();
    expect(await sidecar.authenticate(token)).toMatchObject(accepted('store'));
    resume(kafka);
    await vi.waitFor(() => expect(sidecar.state).toBe('live'), WAIT);
    expect(sidecar.authenticate(token)).toMatchObject(accepted('memory'));
  });
});

describe('a sidecar that has never seen Kafka', () => {
  test.each([PARTITIONS - 1, PARTITIONS + 1, undefined])(
    'proves nothing by Redis when it is told that there are %s partitions',
    async (partitions) => {
      pause(kafka);
      const sidecar = sidecarWith({ ...(partitions === undefined ? {} : { partitions }), startTimeoutMs: 1000 });
      await expect(sidecar.start()).rejects.toMatchObject({ code: 'not_ready' });
      expect(await sidecar.authenticate(await newToken())).toEqual(VIEW_STALE);
    },
  );
});

describe('a thousand requests at once that memory cannot prove', () => {
  test('of one session cause one read', async () => {
    const sidecar = await live();
    const token = await newToken(HOUR_MS);
    await sidecar.authenticate(token, 'strict', NO_TICK);
    const calls = async () =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redisClient.info('commandstats'))?.[1] ?? 0);
    const before = await calls();
    const answers = await Promise.all(Array.from({ length: 1000 }, () => sidecar.authenticate(token)));
    for (const answer of answers) expect(answer).toMatchObject(accepted('store'));
    expect(await calls()).toBe(before + 1);
  });
});

describe('a broker that is silent, and says so to nobody', () => {
  test('keeps no sidecar from starting that knows of another one', async () => {
    const silent = createTcpServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    try {
      await live({ brokers: [`127.0.0.1:${port}`, kafka.brokers] });
    } finally {
      silent.close();
    }
  });

  test('keeps no sidecar from finding the leaders by another one', { timeout: 40_000 }, async () => {
    const link = await TcpLink.listen(() => Number(kafka.brokers.split(':')[1]));
    const client = createKafka({ brokers: [kafka.brokers], clientId: 'bound-test' }).admin();
    try {
      const sidecar = await live({ brokers: [`127.0.0.1:${link.port}`, kafka.brokers] });
      await client.connect();
      link.turn('silent');
      await client.deleteTopics({ topics: [TOPICS.sessionVersions] });
      await vi.waitFor(() => expect(sidecar.state).toBe('cut-off'), WAIT);
      await ensureTopics(client, PARTITIONS);
      await vi.waitFor(() => expect(sidecar.state).toBe('live'), { timeout: 15_000, interval: 10 });
    } finally {
      link.close();
      await client.disconnect();
    }
  });
});
