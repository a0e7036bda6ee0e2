import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startKafka } from '../../infra/local/kafka.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import type { Started } from '../../infra/local/processes.mjs';
import { startRedis } from '../../infra/local/redis.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { type Answer, call, inWords } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

/** `CURFEW_MAX_VIEW_AGE_MS` as it is by default. */
const BOUND = 2000;

let directory: string;
let kafka: Started & { brokers: string };
let redis: Started & { url: string };
let services: Services;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'curfew-bound-'));
  const [kafkaPort = 0, redisPort = 0] = await freePorts(2);
  [kafka, redis] = await Promise.all([
    startKafka({ port: kafkaPort, directory }),
    startRedis({ port: redisPort, directory }),
  ]);
  services = await startServices({ brokers: [kafka.brokers], redisUrl: redis.url });
});
afterAll(async () => {
  for (const one of [kafka, redis]) if (one) process.kill(-one.pid, 'SIGCONT');
  await services?.stop();
  await Promise.all([kafka?.stop('SIGKILL'), redis?.stop('SIGKILL')]);
  await removeDirectory(directory);
});

async function signIn(): Promise<string> {
  const answer = () =>
    call('POST', `${services.urls['session-service']}/v1/sessions`, { as: 'login', body: { subject: 'alice' } });
  await expect.poll(async () => (await answer()).status, { timeout: 10_000 }).toBe(201);
  return String((await answer()).body['accessToken']);
}
const strict = (token: string): Promise<Answer> => call('POST', `${services.urls.payments}/payments`, { token });
const lenient = (token: string): Promise<Answer> => call('GET', `${services.urls.orders}/orders`, { token });
const decisions = async (token: string) => [
  inWords(await strict(token)),
  inWords(await lenient(token)),
  (await lenient(token)).body['provable'],
];

describe('when every broker stands still', () => {
  test('a strict route answers 503 and a lenient one 200 unproven within the bound; both are as before within 5 s of its end', {
    timeout: 60_000,
  }, async () => {
    const token = await signIn();
    await expect.poll(() => decisions(token), { timeout: 10_000 }).toEqual(['201', '200', true]);
    process.kill(-kafka.pid, 'SIGSTOP');
    // By then the tick in Redis is as old as the views: nobody could read a newer one.
    await sleep(BOUND);
    expect(await decisions(token)).toEqual(['503 view_stale', '200', false]);
    expect((await strict(token)).headers.get('retry-after')).toBe('1');
    expect((await lenient(token)).body['source']).toBe('policy');
    // A tick may have got as far as Redis and no further; that it proved something is good for a second.
    const ready = () => call('GET', `${services.urls.orders}/readyz`);
    await expect.poll(async () => inWords(await ready()), { timeout: 1500 }).toBe('503 not_ready');
    expect((await ready()).body['detail']).toContain('the bound is 2000 ms');
    await sleep(2000);
    process.kill(-kafka.pid, 'SIGCONT');
    await expect.poll(() => decisions(token), { timeout: 5000, interval: 50 }).toEqual(['201', '200', true]);
  });
});

describe('when Redis stands still', () => {
  test('ticks stop with it, so that strict routes answer 503 within the bound, and are as before within 5 s of its end', {
    timeout: 60_000,
  }, async () => {
    const token = await signIn();
    await expect.poll(() => decisions(token), { timeout: 10_000 }).toEqual(['201', '200', true]);
    process.kill(-redis.pid, 'SIGSTOP');
    await sleep(BOUND);
    expect(await decisions(token)).toEqual(['503 view_stale', '200', false]);
    process.kill(-redis.pid, 'SIGCONT');
    await expect.poll(() => decisions(token), { timeout: 5000, interval: 50 }).toEqual(['201', '200', true]);
  });
});
