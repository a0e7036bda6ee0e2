import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { run } from '../../../infra/local/commands.mjs';
import { inRoot, shown } from '../../../infra/local/paths.mjs';
import { startProcess, waitUntil } from '../../../infra/local/processes.mjs';
import { removeDirectory } from '../../../infra/local/remove-directory.mjs';
import { alive } from '../../support/alive.ts';

const directory = mkdtempSync(join(tmpdir(), 'curfew-processes-'));
const log = join(directory, 'logs', 'one.log');
afterAll(() => removeDirectory(directory));

const shell = (script: string) => startProcess({ name: 'one', command: 'sh', args: ['-c', script], log });
const pidIn = (text: string): number => Number(/pid (\d+)/.exec(text)?.[1]);
const child = async (): Promise<number> => {
  await expect.poll(() => pidIn(readFileSync(log, 'utf8'))).toBeGreaterThan(0);
  return pidIn(readFileSync(log, 'utf8'));
};

describe('a started process', () => {
  test('writes to its log, and says how it ended', async () => {
    const one = await shell('echo out; echo err >&2; exit 3');
    expect(await one.ended).toBe('exit code 3');
    expect(one.running()).toBe(false);
    expect(readFileSync(log, 'utf8')).toContain('out\nerr\n');
    await one.stop();
  });

  test('is ended with everything that it started', async () => {
    const one = await shell('sleep 60 & echo "pid $!"; wait');
    const grandchild = await child();
    await one.stop();
    expect(await one.ended).toBe('SIGTERM');
    await expect.poll(() => alive(grandchild)).toBe(false);
    rmSync(log);
  });

  test('does not outlive the one that started it, not even a SIGKILL', async () => {
    const module = inRoot('infra/local/processes.mjs');
    const script = `
      const { startProcess } = await import(${JSON.stringify(module)});
      const one = await startProcess({ name: 'one', command: 'sleep', args: ['60'], log: ${JSON.stringify(log)} });
      console.log('pid ' + one.pid);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [text] = await once(parent.stdout, 'data');
    const pid = pidIn(`${text}`);
    expect(alive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => alive(pid)).toBe(false);
  });

  test('that cannot be run is an error in words', async () => {
    const absent = startProcess({ name: 'Kafka', command: '/nowhere/java', args: [], log });
    await expect(absent).rejects.toThrow('Kafka cannot be started: spawn /nowhere/java ENOENT.');
  });
});

describe('waiting for a process', () => {
  test('ends when it says yes', async () => {
    const one = await shell('sleep 60');
    let asked = 0;
    await waitUntil(one, async () => ++asked === 3, { limitMs: 5000 });
    expect(asked).toBe(3);
    await one.stop();
  });

  test('fails when the process ends first, and names its log', async () => {
    const one = await shell('exit 7');
    await expect(waitUntil(one, async () => false, { limitMs: 5000 })).rejects.toThrow(
      `one ended while it started: exit code 7.\nIts log: ${shown(log)}`,
    );
  });

  test('fails when the limit passes, with the last reason against it', async () => {
    const one = await shell('sleep 60');
    await expect(waitUntil(one, async () => 'Redis is away', { limitMs: 50 })).rejects.toThrow(
      `one is not ready after 0.05 s: Redis is away.\nIts log: ${shown(log)}`,
    );
    await one.stop();
  });

  test('fails with the reason of its signal', async () => {
    const one = await shell('sleep 60');
    const reason = new Error('ended by somebody');
    await expect(waitUntil(one, async () => true, { limitMs: 5000, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    await one.stop();
  });
});

describe('a command', () => {
  const words = { log, missing: 'install it', failed: 'it failed' };

  test('that is not there, or fails, is an error in the words given', async () => {
    await run('true', [], words);
    await expect(run('no-such-command', [], words)).rejects.toThrow('install it');
    await expect(run('false', [], words)).rejects.toThrow(`it failed\nIts log: ${shown(log)}`);
  });
});
