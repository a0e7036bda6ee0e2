import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { startDockerStack } from '../../../infra/local/docker.mjs';

const directory = mkdtempSync(join(tmpdir(), 'curfew-docker-'));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(directory, { recursive: true }));

/** A `docker` on the PATH, in place of an engine, that fails at these commands of Compose. */
function dockerThatFails(...commands: string[]): void {
  const file = join(directory, 'docker');
  writeFileSync(
    file,
    `#!/bin/sh\necho "$*" >> '${directory}/ran'\ncase "$4" in ${commands.join('|')}) exit 1;; esac\n`,
  );
  chmodSync(file, 0o755);
  vi.stubEnv('PATH', `${directory}${delimiter}${process.env['PATH']}`);
}

test('containers that do not come up are the error, although they cannot be removed either', async () => {
  dockerThatFails('up', 'down');
  const progress = { run: <T>(_name: string, work: (say: (doing: string) => void) => Promise<T>) => work(() => {}) };
  const { signal } = new AbortController();
  const engine = { env: process.env, pid: undefined, stop: vi.fn(async () => {}) };
  await expect(startDockerStack({ engine, directory, progress, signal })).rejects.toThrow('did not bring the stack up');
  expect(readFileSync(join(directory, 'ran'), 'utf8')).toMatch(/ down\n$/);
  expect(engine.stop).toHaveBeenCalledOnce();
});
