import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { startKafka } from '../../infra/local/kafka.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { startRedis } from '../../infra/local/redis.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { call, inWords } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

async function start(stack: Parameters<typeof startServices>[0]): Promise<Services> {
  const services = await startServices(stack, false);
  undo.push(() => services.stop());
  for (const url of Object.values(services.urls))
    await expect
      .poll(() => call('GET', `${url}/healthz`).catch(() => undefined), { timeout: 20_000 })
      .toMatchObject({ status: 200 });
  return services;
}

async function directory(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'curfew-absent-'));
  undo.push(() => removeDirectory(made));
  return made;
}

const readiness = async (services: Services): Promise<Record<string, string>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(services.urls).map(async ([name, url]) => [name, inWords(await call('GET', `${url}/readyz`))]),
    ),
  );

const ALL_READY = { 'session-service': '200', 'identity-publisher': '200', orders: '200', payments: '200' };

describe('services that start before what they need', () => {
  test('live, say 503 and why while Kafka is absent, and are ready once it is there', { timeout: 90_000 }, async () => {
    const [port = 0] = await freePorts(1);
    const services = await start({ brokers: [`127.0.0.1:${port}`], redisUrl: inject('stack').redisUrl });
    const notReady = '503 not_ready';
    expect(await readiness(services)).toEqual({
      'session-service': notReady,
      'identity-publisher': notReady,
      orders: notReady,
      payments: notReady,
    });
    const { body, headers } = await call('GET', `${services.urls['session-service']}/readyz`);
    expect(body['detail']).toContain('account events are not read');
    expect(headers.get('retry-after')).toBe('1');
    const refused = await call('POST', `${services.urls['identity-publisher']}/v1/password-changed`, {
      as: 'identity',
      body: { subject: 'alice' },
    });
    expect(inWords(refused)).toBe('503 bus_unavailable');

    const kafka = await startKafka({ port, directory: await directory() });
    undo.push(() => kafka.stop());
    await expect.poll(() => readiness(services), { timeout: 40_000 }).toEqual(ALL_READY);
  });

  test('live, say 503 and why while Redis is absent, and are ready once it is there', { timeout: 60_000 }, async () => {
    const [port = 0] = await freePorts(1);
    const services = await start({ brokers: inject('stack').brokers, redisUrl: `redis://127.0.0.1:${port}` });
    const { status, body } = await call('GET', `${services.urls['session-service']}/readyz`);
    expect(status).toBe(503);
    expect(body['detail']).toContain('Redis');
    const refused = await call('POST', `${services.urls['session-service']}/v1/sessions`, {
      as: 'login',
      body: { subject: 'alice' },
    });
    expect(inWords(refused)).toBe('503 store_unavailable');

    const redis = await startRedis({ port, directory: await directory() });
    undo.push(() => redis.stop());
    await expect.poll(() => readiness(services), { timeout: 30_000 }).toEqual(ALL_READY);
    const signedIn = await call('POST', `${services.urls['session-service']}/v1/sessions`, {
      as: 'login',
      body: { subject: 'alice' },
    });
    expect(signedIn.status).toBe(201);
  });

  test('end with exit code 0 on SIGTERM, ready or not', { timeout: 60_000 }, async () => {
    const [port = 0, other = 0] = await freePorts(2);
    const waiting = await start({ brokers: [`127.0.0.1:${port}`], redisUrl: `redis://127.0.0.1:${other}` });
    const working = await start(inject('stack'));
    await expect.poll(() => readiness(working), { timeout: 30_000 }).toEqual(ALL_READY);
    for (const { processes } of [waiting, working])
      for (const one of Object.values(processes)) {
        process.kill(one.pid, 'SIGTERM');
        expect(await one.ended, one.name).toBe('exit code 0');
      }
  });

  test('and with a bad environment, they say which variable is wrong, and exit with 1', {
    timeout: 30_000,
  }, async () => {
    const redisUrl = 'ftp://127.0.0.1';
    await expect(startServices({ ...inject('stack'), redisUrl })).rejects.toThrow('exit code 1');
  });
});
