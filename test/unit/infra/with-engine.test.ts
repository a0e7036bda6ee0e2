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

/** Exit code and complaint of with-engine.mjs where no engine answers and `source` takes engine-packages.mjs' place. */
function withoutEngine(source: string) {
  const hooks = `import { registerHooks } from 'node:module';
    const stub = ${JSON.stringify({ format: 'module', source, shortCircuit: true })};
    const load = (url, context, next) => (url.endsWith('/engine-packages.mjs') ? stub : next(url, context));
    registerHooks({ load });`;
  const args = [`--import=data:text/javascript,${encodeURIComponent(hooks)}`, inRoot('infra/docker/with-engine.mjs')];
  const { status, stderr } = spawnSync(process.execPath, [...args, 'true'], { env: { PATH: '' }, encoding: 'utf8' });
  return { status, stderr };
}

test('where there is no engine and none can be had, the exit code is 69', () => {
  const none = 'export const canInstallEngine = () => false; export const enginePackages = undefined;';
  expect(withoutEngine(none).status).toBe(69);
});

test('an engine that can be had and does not start is a failure, and not 69', () => {
  const broken = `import { StartError } from '../local/start-error.mjs';
    export const canInstallEngine = () => true;
    export const enginePackages = async () => { throw new StartError('broken'); };`;
  expect(withoutEngine(broken)).toEqual({ status: 1, stderr: 'broken\n' });
});
