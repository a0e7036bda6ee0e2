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

/** How with-engine.mjs ends, with `source` in the place of a module of its own, and no engine that answers. */
function withEngineBut(module: string, source: string, ...command: string[]) {
  const hooks = `import { registerHooks } from 'node:module';
    const stub = ${JSON.stringify({ format: 'module', source, shortCircuit: true })};
    const load = (url, context, next) => (url.endsWith('/${module}') ? stub : next(url, context));
    registerHooks({ load });`;
  const args = [`--import=data:text/javascript,${encodeURIComponent(hooks)}`, inRoot('infra/docker/with-engine.mjs')];
  return spawnSync(process.execPath, [...args, ...command], { env: { PATH: '' }, encoding: 'utf8' });
}
const withoutEngine = (packages: string) => withEngineBut('engine-packages.mjs', packages, 'true');

test('where there is no engine and none can be had, the exit code is 69', () => {
  const none = 'export const canInstallEngine = () => false; export const enginePackages = undefined;';
  expect(withoutEngine(none).status).toBe(69);
});

test('an engine that can be had and does not start is a failure, and not 69', () => {
  const broken = `import { StartError } from '../local/start-error.mjs';
    export const canInstallEngine = () => true;
    export const enginePackages = async () => { throw new StartError('broken'); };`;
  expect(withoutEngine(broken)).toMatchObject({ status: 1, stderr: 'broken\n' });
});

test.each([[[]], [['/bin/sh', '-c', 'echo ran']]])(
  'a SIGTERM while the engine starts ends it, and %j does not run',
  (command) => {
    // It is up before it looks at the signal.
    const engine = `export class NoEngine extends Error {}
    export const provideEngine = async ({ signal }) => {
      const working = setInterval(() => {}, 1000);
      process.kill(process.pid, 'SIGTERM');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      clearInterval(working);
      return { env: process.env, pid: 1, stop: async () => console.log('ended') };
    };`;
    expect(withEngineBut('engine.mjs', engine, ...command)).toMatchObject({ status: 143, stdout: 'ended\n' });
  },
);
