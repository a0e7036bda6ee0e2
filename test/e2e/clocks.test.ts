import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { authorizationOf } from '../../infra/local/clients.mjs';
import { startKafka } from '../../infra/local/kafka.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { startRedis } from '../../infra/local/redis.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { call, inWords } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

const MINUTES_5 = 300_000;

// A Kafka and a Redis of their own: ticks from the future would stay in those that other tests use.
let stack: { directory: string; kafka: Started<typeof startKafka>; redis: Started<typeof startRedis> };
let services: Services | undefined;
type Started<Start extends (...options: never[]) => unknown> = Awaited<ReturnType<Start>>;

beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'curfew-clocks-'));
  const [kafkaPort = 0, redisPort = 0] = await freePorts(2);
  const [kafka, redis] = await Promise.all([
    startKafka({ port: kafkaPort, directory }),
    startRedis({ port: redisPort, directory }),
  ]);
  stack = { directory, kafka, redis };
}, 60_000);
afterEach(async () => {
  await services?.stop();
  await Promise.all([stack.kafka.stop(), stack.redis.stop()]);
  await removeDirectory(stack.directory);
});

/** For a process whose wall clock is so far from the others'. */
const clockOff = (ms: number) => {
  const module = `const now = Date.now; Date.now = () => now() + ${ms};`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(module)}` };
};

async function start(environment: Parameters<typeof startServices>[2]) {
  // A service that can prove nothing is not ready.
  const { kafka, redis } = stack;
  services = await startServices({ brokers: [kafka.brokers], redisUrl: redis.url }, false, environment);
  const { urls } = services;
  for (const [name, path] of Object.entries({ 'session-service': 'readyz', orders: 'healthz', payments: 'healthz' }))
    await expect
      .poll(() => call('GET', `${urls[name as keyof typeof urls]}/${path}`).catch(() => undefined), { timeout: 20_000 })
      .toMatchObject({ status: 200 });

  const subject = randomUUID();
  const sessions = `${urls['session-service']}/v1/sessions`;
  const signedIn = await call('POST', sessions, { as: 'login', body: { subject } });
  expect(inWords(signedIn)).toBe('201');
  const renewed = await call('POST', `${sessions}/refresh`, {
    body: { refreshToken: signedIn.body['refreshToken'] },
  });
  expect(inWords(renewed)).toBe('200');
  const token = String(renewed.body['accessToken']);

  const introspected = async () =>
    (
      await call('POST', `${urls['session-service']}/oauth/introspect`, {
        headers: { authorization: authorizationOf('login'), 'content-type': 'application/x-www-form-urlencoded' },
        body: `token=${token}`,
      })
    ).body['active'];
  const strict = async () => [
    inWords(await call('POST', `${urls.orders}/orders`, { token })),
    inWords(await call('POST', `${urls.payments}/payments`, { token })),
  ];
  const lenient = async () => (await call('GET', `${urls.orders}/orders`, { token })).body;
  const changePassword = () =>
    call('POST', `${urls['identity-publisher']}/v1/password-changed`, { as: 'identity', body: { subject } });
  return { strict, lenient, introspected, changePassword };
}

describe('a clock that is five minutes off', () => {
  // A service whose clock is behind sees ticks from the future, and takes their lead for the error of its clock. One that
  // is ahead cannot tell such an error from ticks that are held back.
  test.each([
    ['of a service that checks, ahead', { orders: clockOff(MINUTES_5) }, '503 view_stale', '201'],
    ['of a service that checks, behind', { orders: clockOff(-MINUTES_5) }, '201', '201'],
    ['of the issuer, ahead', { 'session-service': clockOff(MINUTES_5) }, '201', '201'],
    ['of the issuer, behind', { 'session-service': clockOff(-MINUTES_5) }, '503 view_stale', '503 view_stale'],
  ])(
    '%s, ends sessions all the same, and accepts what it can prove',
    {
      timeout: 60_000,
    },
    async (_name, environment, orders, payments) => {
      const { strict, lenient, introspected, changePassword } = await start(environment);
      await expect.poll(strict, { timeout: 10_000 }).toEqual([orders, payments]);
      expect((await lenient())['provable']).toBe(orders === '201');
      expect(await introspected()).toBe(true);

      await expect.poll(async () => (await changePassword()).status, { timeout: 10_000 }).toBe(202);
      await expect.poll(strict, { timeout: 5000 }).toEqual(['401 session_revoked', '401 session_revoked']);
      expect((await lenient())['code']).toBe('session_revoked');
      expect(await introspected()).toBe(false);
    },
  );
});

test('a clock that is half a second ahead makes no event look later than that', { timeout: 60_000 }, async () => {
  await start({ orders: clockOff(500), 'session-service': { CURFEW_CANARY_INTERVAL_MS: '200' } });
  const applied = async (which: string) => {
    const metrics = await (await fetch(`${services?.urls.orders}/metrics`)).text();
    return Number(new RegExp(`^curfew_propagation_duration_${which}[^}]*} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0);
  };
  // The machine may be slow with one or the other.
  const mostWithin500ms = async () => {
    const within = await applied('bucket\\{[^}]*le="0\\.5"');
    const all = await applied('count\\{');
    return all >= 10 && within > all / 2;
  };
  await expect.poll(mostWithin500ms, { timeout: 30_000 }).toBe(true);
});
