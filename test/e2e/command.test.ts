import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { TOPIC_CONFIG, TOPICS } from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import { Redis } from 'ioredis';
import { ConfigResourceTypes } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { credentialOf } from '../../infra/local/clients.mjs';
import { startKafka } from '../../infra/local/kafka.mjs';
import { inRoot } from '../../infra/local/paths.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { startRedis } from '../../infra/local/redis.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { call } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

// Each step is a process of its own, which takes a second where the machine is busy.
vi.setConfig({ testTimeout: 60_000 });

let directory: string;
let kafka: Awaited<ReturnType<typeof startKafka>>;
let redis: Awaited<ReturnType<typeof startRedis>>;
let services: Services;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'curfew-command-'));
  const [kafkaPort = 0, redisPort = 0] = await freePorts(2);
  [kafka, redis] = await Promise.all([
    startKafka({ port: kafkaPort, directory }),
    startRedis({ port: redisPort, directory }),
  ]);
  const traced = { 'session-service': { OTEL_TRACES_EXPORTER: 'console' } };
  services = await startServices({ brokers: [kafka.brokers], redisUrl: redis.url }, true, traced);
});

afterAll(async () => {
  await services?.stop();
  await Promise.all([kafka?.stop(), redis?.stop()]);
  await removeDirectory(directory);
});

/** Nothing of this process's environment but the programs that npm would find. */
const environment = () => ({
  PATH: `${inRoot('node_modules/.bin')}${delimiter}${process.env['PATH']}`,
  CURFEW_SESSION_SERVICE_URL: services.urls['session-service'],
  CURFEW_CREDENTIAL: credentialOf('operator'),
  CURFEW_KAFKA_BROKERS: kafka.brokers,
  CURFEW_REDIS_URL: redis.url,
});

/** Those of the last test; what ended by itself is not touched. */
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});

/** `curfew` as a process of its own. */
function started(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const written = { stdout: '', stderr: '' };
  const child: ChildProcess = spawn('curfew', args, { cwd: inRoot(), env: { ...environment(), ...env } });
  child.stdout?.on('data', (text) => {
    written.stdout += text;
  });
  child.stderr?.on('data', (text) => {
    written.stderr += text;
  });
  running.push(child);
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...written }));
  return { child, written, ended };
}

const run = (...args: string[]) => started(args).ended;

async function json(args: readonly string[], stdin = '', env: Readonly<Record<string, string>> = {}) {
  const { child, ended } = started([...args, '--json'], env);
  child.stdin?.end(stdin);
  const { code, stdout, stderr } = await ended;
  expect(stderr).toBe('');
  return { code, document: JSON.parse(stdout) };
}

async function signIn(subject: string) {
  const { body } = await call('POST', `${services.urls['session-service']}/v1/sessions`, {
    as: 'login',
    body: { subject },
  });
  return { sid: String(body['sid']), accessToken: String(body['accessToken']) };
}

test('revokes, waits until it is effective on both services, and finds it again', async () => {
  const { code, document } = await json(['revoke', '--subject', 'alice', '--reason', 'laptop lost', '--wait']);
  expect(code).toBe(0);
  expect(document).toMatchObject({
    effective: true,
    summary: '2 of 2',
    exposed: 0,
    why: 'caep/session-revoked',
    scopes: ['u:alice'],
  });
  expect(document.sidecars.map(({ service }: { service: string }) => service).sort()).toEqual(['orders', 'payments']);
  expect(await json(['status', document.id])).toMatchObject({
    code: 0,
    document: { id: document.id, effective: true },
  });
  const { code: fleet, stdout } = await run('status');
  expect(stdout).toContain('2 of 2 sidecars are live');
  expect(fleet).toBe(0);
  expect((await run('sidecars')).stdout).toMatch(/^orders +\S+ +live/m);
});

test('runs by npx, whatever Node started npx', async () => {
  const npx = spawn('npx', ['--no', 'curfew', '--help'], { cwd: inRoot(), env: { PATH: process.env['PATH'] } });
  npx.stdout.resume();
  const [code] = await once(npx, 'close');
  expect(code).toBe(0);
});

describe('why', () => {
  test('a token is not accepted any more: the event that ended its session', async () => {
    const { sid, accessToken } = await signIn('bob');
    expect((await json(['why', '-'], accessToken)).document).toEqual({ sid, verdict: 'active' });
    const { document: revoked } = await json(['revoke', '--subject', 'bob', '--wait']);
    await json(['revoke', '--subject', 'bob', '--wait']);

    const { code, document } = await json(['why', '-'], `${accessToken}\n`);
    expect(code).toBe(0);
    expect(document).toMatchObject({ sid, verdict: 'revoked', scope: 'u:bob', id: revoked.id, at: revoked.at });
    expect(document.revocation).toMatchObject({ effective: true, summary: '2 of 2' });
    expect((await json(['why', sid])).document).toEqual(document);
    const alone = { CURFEW_SESSION_SERVICE_URL: 'http://127.0.0.1:1' };
    const { revocation, ...fromTheLog } = document;
    expect((await json(['why', '-'], accessToken, alone)).document).toEqual(fromTheLog);
    expect(fromTheLog.traceId).toMatch(/^[\da-f]{32}$/);
    expect(fromTheLog.traceId).toBe(revocation.traceId);
  });

  test('a session has to renew: the event that changed its claims', async () => {
    const { accessToken } = await signIn('carol');
    const { body } = await call('POST', `${services.urls['identity-publisher']}/v1/roles-changed`, {
      as: 'identity',
      body: { subject: 'carol', roles: ['reader'] },
    });
    const cause = async () => (await json(['why', '-'], accessToken)).document;
    await expect
      .poll(cause, { timeout: 10_000 })
      .toMatchObject({ verdict: 'stale', scope: 'u:carol', id: body['id'], why: 'caep/token-claims-change' });
  });

  test('a session was logged out, and is gone: the event that names it', async () => {
    const { sid } = await signIn('dave');
    const { body } = await call('DELETE', `${services.urls['session-service']}/v1/sessions/${sid}`, { as: 'login' });
    const cause = async () => (await json(['why', sid])).document;
    await expect
      .poll(cause, { timeout: 10_000 })
      .toMatchObject({ verdict: 'revoked', scope: `s:${sid}`, id: body['id'] });
  });
});

test('tail shows an event, and what both sidecars say of it, until it is interrupted', async () => {
  const { child, written, ended } = started(['tail', '--json']);
  const lines = () =>
    written.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const seen = async () => {
    // It tells what comes from now on, and does not say when now is.
    await json(['revoke', '--subject', 'erin', '--wait']);
    // Versions and receipts are read by two readers: the receipts of the first event may be missed.
    const versions = lines().filter(({ type, scope }) => type === 'version' && scope === 'u:erin');
    const servicesOf = (event: string) =>
      lines().flatMap(({ type, service, applied }) =>
        type === 'receipt' && applied.some(({ id }: { id: string }) => id === event) ? [service] : [],
      );
    return versions.map(({ id }) => [...new Set(servicesOf(id))].sort());
  };
  await expect.poll(seen, { timeout: 20_000 }).toContainEqual(['orders', 'payments']);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
});

describe('doctor', () => {
  const found = async (env: Readonly<Record<string, string>> = {}) => {
    const { code, document } = await json(['doctor'], '', env);
    const findings: { code: string; level: string; says: string; todo?: string }[] = document.findings;
    return {
      code,
      findings,
      worse: findings.filter(({ level }) => level !== 'ok').map((one) => `${one.level} ${one.code}`),
    };
  };
  const HONEST = ['warning replication_low', 'warning min_insync_low', 'warning redis_not_durable'];

  test('finds nothing on a local stack but that one broker and one Redis without a disk keep little', async () => {
    expect(await found()).toMatchObject({ code: 0, worse: HONEST });
    expect((await run('doctor')).stdout).toContain('ticks come through all 12 partitions');
  });

  test('finds a Redis that may drop keys', async () => {
    const client = new Redis(redis.url);
    try {
      await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      const { code, worse } = await found();
      expect(code).toBe(1);
      expect(worse).toContain('problem redis_evicts');
    } finally {
      await client.config('SET', 'maxmemory-policy', 'noeviction');
      client.disconnect();
    }
  });

  test('finds a topic with another policy, and says how to mend it', async () => {
    const admin = createKafka({ brokers: [kafka.brokers], clientId: 'test' }).admin();
    const set = (config: Readonly<Record<string, string>>) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: ConfigResourceTypes.TOPIC,
            name: TOPICS.receipts,
            configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
          },
        ],
      });
    try {
      await set({ ...TOPIC_CONFIG[TOPICS.receipts], 'cleanup.policy': 'delete' });
      const { code, findings } = await found();
      expect(code).toBe(1);
      const mismatch = findings.find((finding) => finding.code === 'topic_mismatch');
      expect(mismatch?.says).toContain(TOPICS.receipts);
      expect(mismatch?.todo).toContain("'cleanup.policy=[compact,delete]'");
    } finally {
      await set(TOPIC_CONFIG[TOPICS.receipts]);
      await admin.disconnect();
    }
  });

  test('tells what it cannot reach apart from what is wrong', async () => {
    const [nowhere = 0] = await freePorts(1);
    const { code, worse } = await found({
      CURFEW_SESSION_SERVICE_URL: `http://127.0.0.1:${nowhere}`,
      CURFEW_KAFKA_BROKERS: `127.0.0.1:${nowhere}`,
      CURFEW_REDIS_URL: `redis://127.0.0.1:${nowhere}`,
    });
    expect(code).toBe(3);
    expect(worse).toEqual([
      'unreachable bus_unavailable',
      'unreachable store_unavailable',
      'unreachable upstream_unavailable',
    ]);
  });
});
