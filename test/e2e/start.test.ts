import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, inject, test, vi } from 'vitest';
import { inRoot } from '../../infra/local/paths.mjs';
import { assertFree } from '../../infra/local/ports.mjs';
import { type Started, startProcess } from '../../infra/local/processes.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { PORTS } from '../../infra/local/services.mjs';
import { alive } from '../support/alive.ts';
import { call } from '../support/client.ts';
import { startServices } from '../support/services.ts';
import { startedBy } from '../support/started-by.ts';

const START = inRoot('infra/local/start.mjs');
const LIMIT_MS = 90_000;

const logs = mkdtempSync(join(tmpdir(), 'curfew-start-'));
afterAll(() => removeDirectory(logs));

type Run = Started & { readonly output: () => string };

let run: Run | undefined;

/** By infra's own hand, so that no end of the test run leaves anything behind. */
async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const log = join(logs, 'start.log');
  rmSync(log, { force: true });
  // Those of a test run's stack, if it has any, are not for a stack that starts its own; an empty one is none.
  const own = { CURFEW_KAFKA_BROKERS: '', CURFEW_REDIS_URL: '' };
  const one = await startProcess({
    name: 'npm start',
    command: process.execPath,
    args: [START, ...args],
    env: { ...process.env, ...own, ...env },
    log,
  });
  run = { ...one, output: () => readFileSync(log, 'utf8') };
  return run;
}

/** Where the run has its logs, by its own words. */
const directoryOf = (output: string): string => inRoot(/(\.curfew\/run-\d+)/.exec(output)?.[1] ?? 'nowhere');

const portsIn = (output: string): Record<string, number> =>
  Object.fromEntries([...output.matchAll(/(127\.0\.0\.1):(\d+)/g)].map(([address, , port]) => [address, Number(port)]));

afterEach(async () => {
  if (run === undefined) return;
  await run.stop();
  const directory = directoryOf(run.output());
  if (!directory.endsWith('run-7001')) await removeDirectory(directory);
  run = undefined;
});

describe('npm start', { timeout: LIMIT_MS }, () => {
  test('stays up after the scenario, shows where everything is, and ends all of it on SIGTERM', async () => {
    const { pid, output, ended } = await start(['--free-ports']);
    await vi.waitFor(() => expect(output()).toContain('Ctrl-C ends all of it.'), { timeout: LIMIT_MS, interval: 100 });
    expect(output().match(/^✓ {2}.*401 session_\w+ +[<\d.]+ ms +[<\d.]+ ms$/gm)).toHaveLength(6);
    expect(output()).not.toMatch(/✗/);
    // Kafka, Redis and four services.
    const started = startedBy(pid);
    expect(started.length).toBeGreaterThanOrEqual(6);
    process.kill(pid, 'SIGTERM');
    expect(await ended).toBe('exit code 0');
    expect(started.filter((one) => alive(one.pid))).toEqual([]);
    await assertFree(portsIn(output()));
    expect(existsSync(directoryOf(output()))).toBe(false);
  });

  test('ends what it started when SIGTERM comes while it starts', async () => {
    const { pid, output, ended } = await start(['--free-ports']);
    await vi.waitFor(() => expect(output()).toContain('✓ Kafka'), { timeout: LIMIT_MS, interval: 10 });
    const started = startedBy(pid);
    expect(started.length).toBeGreaterThanOrEqual(2);
    process.kill(pid, 'SIGTERM');
    expect(await ended).toBe('exit code 143');
    expect(started.filter((one) => alive(one.pid))).toEqual([]);
  });

  test('ends with exit code 1 when a service dies, and names its log', async () => {
    const { pid, output, ended } = await start(['--free-ports']);
    await vi.waitFor(() => expect(output()).toContain('✓ session-service'), { timeout: LIMIT_MS, interval: 10 });
    const started = startedBy(pid);
    process.kill(Number(started.find(({ args }) => args.includes('session-service'))?.pid), 'SIGKILL');
    expect(await ended).toBe('exit code 1');
    expect(existsSync(directoryOf(output()))).toBe(true);
    expect(output()).toMatch(/session-service ended by itself: SIGKILL\.\nIts log: .*session-service\.log/);
    expect(started.filter((one) => alive(one.pid))).toEqual([]);
  });

  test('ends with exit code 1 when Kafka does not come up, and names its log', async () => {
    // Enough for `java -version`, and too little for Kafka.
    const { output, ended } = await start(['--free-ports'], { JDK_JAVA_OPTIONS: '-XX:MaxMetaspaceSize=8m' });
    expect(await ended).toBe('exit code 1');
    expect(output()).toMatch(/Curfew does not run\. Kafka ended while it started: .*\nIts log: .*kafka\.log/);
  });

  test('without Java says what to install, and ends with exit code 1', async () => {
    // A PATH with nothing on it; Redis is somebody else's, so that Java is the first thing missing.
    const env = { PATH: inRoot('infra/local'), CURFEW_REDIS_URL: 'redis://127.0.0.1:16379' };
    const { output, ended } = await start(['--free-ports'], env);
    expect(await ended).toBe('exit code 1');
    expect(output()).toContain('Kafka needs Java 17 or newer');
    expect(output()).toContain('apt-get install');
  });

  test('with a port in use names the port and who wants it, starts nothing, and ends with exit code 1', async () => {
    const other = createServer().listen(PORTS.payments, '127.0.0.1');
    // Taken already is as good.
    await Promise.race([once(other, 'listening'), once(other, 'error')]).catch(() => {});
    try {
      const { output, ended } = await start([]);
      expect(await ended).toBe('exit code 1');
      expect(output()).toContain('127.0.0.1:7012 (payments)');
      expect(output()).not.toContain('✓');
    } finally {
      other.close();
    }
  });

  test('plays the scenario on a Kafka and a Redis that remember an interrupted one', async () => {
    const { brokers, redisUrl } = inject('stack');
    const services = await startServices({ brokers, redisUrl });
    try {
      const url = `${services.urls['identity-publisher']}/v1/account-disabled`;
      expect((await call('POST', url, { as: 'identity', body: { subject: 'bob' } })).status).toBe(202);
    } finally {
      await services.stop();
    }
    const env = { CURFEW_KAFKA_BROKERS: brokers.join(','), CURFEW_REDIS_URL: redisUrl };
    const { output, ended } = await start(['--once', '--free-ports'], env);
    expect(await ended, output()).toBe('exit code 0');
    expect(output()).toMatch(/The accounts of this run are new: alice-(\w+), bob-\1 and so on/);
    expect(output()).not.toMatch(/✓ (Kafka|Redis)/);
  });

  test('--once plays the scenario and ends with exit code 0', async () => {
    const { output, ended } = await start(['--once', '--free-ports']);
    expect(await ended).toBe('exit code 0');
    expect(output()).toContain('and stays signed in on her laptop');
    await assertFree(portsIn(output()));
    expect(existsSync(directoryOf(output()))).toBe(false);
  });
});
