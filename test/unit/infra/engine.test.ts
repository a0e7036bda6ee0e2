import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { provideEngine } from '../../../infra/docker/engine.mjs';
import { removeDirectory } from '../../../infra/local/remove-directory.mjs';
import { alive } from '../../support/alive.ts';

// Nothing is downloaded: what follows takes Docker's place.
vi.mock('../../../infra/docker/engine-packages.mjs', () => ({
  canInstallEngine: () => true,
  enginePackages: async () => ({ path: '', config: '' }),
}));

const directory = mkdtempSync(join(tmpdir(), 'curfew-engine-test-'));
const program = (name: string, script: string) => {
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, name), 0o755);
};
const ASKED = join(directory, 'asked');
/** A `docker` that says what it was asked, and never answers it. */
const MUTE = `echo "$*" >> '${ASKED}'; exec sleep 600`;

/** Lets time pass, for who waits, as soon as something was asked. */
async function pass(ms: number): Promise<void> {
  do await turn();
  while (!existsSync(ASKED));
  rmSync(ASKED);
  vi.advanceTimersByTime(ms);
}

beforeEach(() => {
  for (const name of ['runc', 'iptables']) program(name, '');
  program('unshare', 'exec sleep 600');
  vi.stubEnv('PATH', `${directory}${delimiter}${process.env['PATH']}`);
  // An engine of our own has a socket that it names.
  vi.stubEnv('DOCKER_HOST', '');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});
afterAll(() => removeDirectory(directory));

test('an engine that stops answering is ended all the same, 10 s after it was asked to remove its containers', async () => {
  program('docker', '[ -n "$DOCKER_HOST" ]');
  const engine = await provideEngine();
  program('docker', MUTE);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const stopped = engine.stop();
  await pass(10_000);
  await stopped;
  expect(alive(engine.pid ?? 0)).toBe(false);
});

test('an engine that takes questions, and has answered none after 30 s, is none: one of our own takes its place', async () => {
  program('docker', `[ -n "$DOCKER_HOST" ] || { ${MUTE}; }`);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const provided = provideEngine();
  // By the machine's own `docker`, and by the one that was downloaded.
  await pass(30_000);
  await pass(30_000);
  const engine = await provided;
  expect(engine.pid).toBeGreaterThan(0);
  await engine.stop();
});
