import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { provideEngine } from '../../../infra/docker/engine.mjs';
import { inRoot } from '../../../infra/local/paths.mjs';

const directory = mkdtempSync(join(tmpdir(), 'curfew-with-engine-'));
const before = process.env['PATH'];
// A `docker` on the PATH that finds everything there, in place of an engine.
beforeAll(() => {
  const file = join(directory, 'docker');
  writeFileSync(file, `#!/bin/sh\necho "$*" >> '${directory}/ran'\n`);
  chmodSync(file, 0o755);
  process.env['PATH'] = `${directory}${delimiter}${before}`;
});
afterAll(() => {
  process.env['PATH'] = before;
  rmSync(directory, { recursive: true });
});

test('an engine that answers is taken as it is, and not ended', async () => {
  const engine = await provideEngine();
  expect(engine.pid).toBeUndefined();
  expect(engine.env).toBe(process.env);
  await engine.stop();
  expect(readFileSync(join(directory, 'ran'), 'utf8')).not.toMatch(/ rm | stop |kill/);
});

test.each([
  [['sh', '-c', 'exit 7'], 7],
  [['sh', '-c', 'kill -TERM $$'], 143],
  [['true'], 0],
])('a command with an engine, %j, ends with its own exit code', (command, code) => {
  const { status } = spawnSync(process.execPath, [inRoot('infra/docker/with-engine.mjs'), ...command]);
  expect(status).toBe(code);
});
