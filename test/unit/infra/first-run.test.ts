import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { inRoot } from '../../../infra/local/paths.mjs';
import { type Started, startProcess } from '../../../infra/local/processes.mjs';
import { removeDirectory } from '../../../infra/local/remove-directory.mjs';
import { PORTS } from '../../../infra/local/services.mjs';

/** A clone in which nothing is installed, at a path with a space, and a PATH of programs that only say they ran. */
let clone: string;
const started: Started[] = [];

beforeEach(() => {
  clone = join(mkdtempSync(join(tmpdir(), 'curfew-first-run-')), 'a clone');
  cpSync(inRoot('infra'), join(clone, 'infra'), { recursive: true });
  writeFileSync(join(clone, 'package-lock.json'), '{}');
  mkdirSync(join(clone, 'bin'));
  for (const name of ['redis-server', 'kcat', 'promtool', 'java']) program(name, '');
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.stop('SIGKILL')));
  await removeDirectory(join(clone, '..'));
});

/** Each run of a program is a line in the file `ran`. */
function program(name: string, script: string): void {
  const file = join(clone, 'bin', name);
  writeFileSync(file, `#!/bin/sh\ncd '${clone}'\necho "${name}$(printf ' <%s>' "$@")" >> ran\n${script}\n`);
  chmodSync(file, 0o755);
}

const INSTALLS = 'mkdir -p node_modules; sleep 0.3; touch node_modules/.package-lock.json';
const ran = () => (existsSync(join(clone, 'ran')) ? readFileSync(join(clone, 'ran'), 'utf8').trim().split('\n') : []);

async function run(script: string, ...args: string[]): Promise<Started & { readonly output: () => string }> {
  const log = join(clone, `${script}-${started.length}.log`);
  const env = {
    ...process.env,
    PATH: `${join(clone, 'bin')}:/usr/bin:/bin`,
    CURFEW_KAFKA_BROKERS: undefined,
    CURFEW_REDIS_URL: '',
  };
  const command = [join(clone, 'infra/local', script), ...args];
  const one = await startProcess({ name: script, command: process.execPath, args: command, env, log });
  started.push(one);
  return { ...one, output: () => readFileSync(log, 'utf8') };
}

const left = () => readdirSync(join(clone, '.curfew')).filter((name) => !name.endsWith('.log'));

describe('the first command in a fresh clone', () => {
  test('has Maven copy the jars although the path of the clone has a space', async () => {
    program('npm', INSTALLS);
    program('mvn', '');
    const { ended, output } = await run('setup.mjs');
    expect(await ended, output()).toBe('exit code 0');
    expect(ran().filter((line) => line.startsWith('mvn'))).toEqual([
      expect.stringContaining(`<-f> <${join(clone, 'infra/kafka/pom.xml')}> <dependency:copy-dependencies>`),
    ]);
    expect(left()).toEqual(['kafka']);
    expect(readdirSync(join(clone, '.curfew/kafka'))).toEqual([expect.stringMatching(/^[0-9a-f]{12}$/)]);
  });

  test('and two at once install the node modules, and the jars, once', async () => {
    program('npm', INSTALLS);
    program('mvn', 'sleep 0.3');
    const both = await Promise.all([run('setup.mjs'), run('setup.mjs')]);
    for (const { ended, output } of both) expect(await ended, output()).toBe('exit code 0');
    expect(ran().filter((line) => line.startsWith('npm'))).toHaveLength(1);
    expect(ran().filter((line) => line.startsWith('mvn'))).toHaveLength(1);
    expect(both.map(({ output }) => output()).join('')).toMatch(/waits for process \d+, which holds .*npm\.lock/);
    expect(left()).toEqual(['kafka']);
  });

  test('does not wait for a run that was killed', async () => {
    program('npm', INSTALLS);
    const gone = await startProcess({ name: 'gone', command: 'true', args: [], log: join(clone, 'gone.log') });
    await gone.ended;
    mkdirSync(join(clone, '.curfew/npm.lock'), { recursive: true });
    writeFileSync(join(clone, '.curfew/npm.lock/pid'), `${gone.pid}`);
    const { ended } = await run('setup.mjs', '--packages');
    expect(await ended).toBe('exit code 0');
    expect(ran()).toHaveLength(1);
    expect(left()).toEqual([]);
  });

  test.each([
    ['setup.mjs', '--packages'],
    ['start.mjs', '--free-ports'],
  ])('%s says that it heard SIGTERM while npm installs, and ends npm at once', async (script, argument) => {
    program('npm', "trap '' TERM; while true; do sleep 0.1; done");
    const { pid, ended, output } = await run(script, argument);
    await vi.waitFor(() => expect(ran()).toHaveLength(1), { timeout: 5000 });
    const began = performance.now();
    process.kill(pid, 'SIGTERM');
    expect(await ended).toBe('exit code 143');
    expect(performance.now() - began).toBeLessThan(3000);
    expect(output()).toContain('SIGTERM: stopping');
    expect(left()).toEqual([]);
  });

  test('ends, npm with it, when the shell that waits for it is ended, as npm does', async () => {
    program('npm', 'for i in $(seq 100); do sleep 0.1; done');
    const setup = join(clone, 'infra/local/setup.mjs');
    const shell = spawn('sh', ['-c', `'${process.execPath}' '${setup}' --packages; echo ended >> '${clone}/ended'`], {
      env: { ...process.env, PATH: `${join(clone, 'bin')}:/usr/bin:/bin` },
      stdio: 'ignore',
    });
    await vi.waitFor(() => expect(ran()).toHaveLength(1), { timeout: 5000 });
    shell.kill('SIGTERM');
    await vi.waitFor(() => expect(left()).toEqual([]), { timeout: 5000 });
    expect(existsSync(join(clone, 'ended'))).toBe(false);
  });

  test('looks at the ports again after the installation', async () => {
    program('npm', `while ! test -e go; do sleep 0.05; done; ${INSTALLS}`);
    const { ended, output } = await run('start.mjs');
    // A port that is in use by now is told as well.
    await Promise.race([vi.waitFor(() => expect(ran()).toHaveLength(1), { timeout: 5000 }), ended]);
    const other = createServer().listen(PORTS.payments, '127.0.0.1');
    await Promise.race([once(other, 'listening'), once(other, 'error')]).catch(() => {});
    try {
      writeFileSync(join(clone, 'go'), '');
      expect(await ended).toBe('exit code 1');
      expect(output()).toContain(`127.0.0.1:${PORTS.payments} (payments)`);
    } finally {
      other.close();
    }
  });
});
