import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { inRoot } from '../../infra/local/paths.mjs';
import { assertFree } from '../../infra/local/ports.mjs';
import { PORTS } from '../../infra/local/services.mjs';
import { alive } from '../support/alive.ts';

const START = inRoot('infra/local/start.mjs');
const LIMIT_MS = 90_000;

interface Run {
  readonly child: ChildProcess;
  output(): string;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

let run: Run | undefined;

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Run {
  // Those of a test run's stack, if it has any, are not for a stack that starts its own.
  const { CURFEW_KAFKA_BROKERS: _brokers, CURFEW_REDIS_URL: _redisUrl, ...environment } = process.env;
  const child = spawn(process.execPath, [START, ...args], { env: { ...environment, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  run = { child, output: () => output, ended: once(child, 'close').then(([code]) => code) };
  return run;
}

interface Started {
  readonly pid: number;
  readonly args: string;
}

/** Everything that a process started, and what that started. */
function startedBy(parent: number | undefined): Started[] {
  const all = [
    ...execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).matchAll(/^ *(\d+) +(\d+) (.*)$/gm),
  ];
  const children = all.flatMap(([, pid, ppid, args = '']) =>
    Number(ppid) === parent ? [{ pid: Number(pid), args }] : [],
  );
  return children.flatMap((child) => [child, ...startedBy(child.pid)]);
}

const portsIn = (output: string): Record<string, number> =>
  Object.fromEntries([...output.matchAll(/(127\.0\.0\.1):(\d+)/g)].map(([address, , port]) => [address, Number(port)]));

afterEach(async () => {
  if (run === undefined) return;
  run.child.kill('SIGTERM');
  await run.ended;
  const [, directory] = /(\.curfew\/run-\d+)/.exec(run.output()) ?? [];
  if (directory !== undefined && !directory.endsWith('run-7001'))
    await rm(inRoot(directory), { recursive: true, force: true });
  run = undefined;
});

describe('npm start', { timeout: LIMIT_MS }, () => {
  test('stays up after the scenario, shows where everything is, and ends all of it on SIGTERM', async () => {
    const { child, output, ended } = start(['--free-ports']);
    await vi.waitFor(() => expect(output()).toContain('Ctrl-C ends all of it.'), { timeout: LIMIT_MS, interval: 100 });
    expect(output().match(/^✓ {2}.*401 session_\w+ +[<\d.]+ ms +[<\d.]+ ms$/gm)).toHaveLength(4);
    expect(output()).not.toMatch(/✗/);
    // Kafka, Redis and four services.
    const started = startedBy(child.pid);
    expect(started.length).toBeGreaterThanOrEqual(6);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(started.filter(({ pid }) => alive(pid))).toEqual([]);
    await assertFree(portsIn(output()));
  });

  test('ends what it started when SIGTERM comes while it starts', async () => {
    const { child, output, ended } = start(['--free-ports']);
    await vi.waitFor(() => expect(output()).toContain('✓ Kafka'), { timeout: LIMIT_MS, interval: 10 });
    const started = startedBy(child.pid);
    expect(started.length).toBeGreaterThanOrEqual(2);
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    expect(started.filter(({ pid }) => alive(pid))).toEqual([]);
  });

  test('ends with exit code 1 when a service dies, and names its log', async () => {
    const { child, output, ended } = start(['--free-ports']);
    await vi.waitFor(() => expect(output()).toContain('✓ session-service'), { timeout: LIMIT_MS, interval: 10 });
    const started = startedBy(child.pid);
    process.kill(Number(started.find(({ args }) => args.includes('session-service'))?.pid), 'SIGKILL');
    expect(await ended).toBe(1);
    expect(output()).toMatch(/session-service ended by itself: SIGKILL\.\nIts log: .*session-service\.log/);
    expect(started.filter(({ pid }) => alive(pid))).toEqual([]);
  });

  test('ends with exit code 1 when Kafka does not come up, and names its log', async () => {
    // Enough for `java -version`, and too little for Kafka.
    const { output, ended } = start(['--free-ports'], { JDK_JAVA_OPTIONS: '-XX:MaxMetaspaceSize=8m' });
    expect(await ended).toBe(1);
    expect(output()).toMatch(/Curfew does not run\. Kafka ended while it started: .*\nIts log: .*kafka\.log/);
  });

  test('without Java says what to install, and ends with exit code 1', async () => {
    // A PATH with nothing on it; Redis is somebody else's, so that Java is the first thing missing.
    const env = { PATH: inRoot('infra/local'), CURFEW_REDIS_URL: 'redis://127.0.0.1:16379' };
    const { output, ended } = start(['--free-ports'], env);
    expect(await ended).toBe(1);
    expect(output()).toContain('Kafka needs Java 17 or newer');
    expect(output()).toContain('apt-get install');
  });

  test('with a port in use names the port and who wants it, starts nothing, and ends with exit code 1', async () => {
    const other = createServer().listen(PORTS.payments, '127.0.0.1');
    // Taken already is as good.
    await Promise.race([once(other, 'listening'), once(other, 'error')]).catch(() => {});
    try {
      const { output, ended } = start([]);
      expect(await ended).toBe(1);
      expect(output()).toContain('127.0.0.1:7012 (payments)');
      expect(output()).not.toContain('✓');
    } finally {
      other.close();
    }
  });

  test('--once plays the scenario and ends with exit code 0', async () => {
    const { output, ended } = start(['--once', '--free-ports']);
    expect(await ended).toBe(0);
    expect(output()).toContain('and stays signed in on her laptop');
    await assertFree(portsIn(output()));
  });
});
