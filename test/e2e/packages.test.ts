import { execFile } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { inRoot } from '../../infra/local/paths.mjs';
import { type Started, startProcess } from '../../infra/local/processes.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { call, inWords } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

const run = promisify(execFile);

/** Of somebody who has installed the packages: outside of this repository, whose third-party packages are linked. */
const project = mkdtempSync(join(tmpdir(), 'curfew-packages-'));
const inProject = (...parts: string[]) => join(project, ...parts);
const write = (name: string, text: string) => writeFileSync(inProject(name), text);
const node = (...args: string[]) => run(process.execPath, args, { cwd: project });

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
}
const manifestOf = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8'));

let services: Services;
let installed: readonly Manifest[];

beforeAll(async () => {
  services = await startServices(inject('stack'));
  await run(process.execPath, [inRoot('infra/packages/pack.mjs'), inProject('tarballs')]);
  for (const tarball of readdirSync(inProject('tarballs'))) {
    const [, name = ''] = /^curfew-(.*)-\d/.exec(tarball) ?? [];
    const directory = inProject('node_modules/@curfew', name);
    mkdirSync(directory, { recursive: true });
    await run('tar', ['-xzf', inProject('tarballs', tarball), '-C', directory, '--strip-components=1']);
  }
  for (const name of readdirSync(inRoot('node_modules')))
    if (!name.startsWith('.') && name !== '@curfew')
      symlinkSync(inRoot('node_modules', name), inProject('node_modules', name));
  installed = globSync(inProject('node_modules/@curfew/*/package.json')).map(manifestOf);
  write('package.json', JSON.stringify({ type: 'module' }));
  write('tsconfig.json', JSON.stringify({ compilerOptions: COMPILER_OPTIONS }));
  // Declarations of @platformatic/kafka import it, and bring no types of it.
  write('debug.d.ts', "declare module 'debug' { namespace debug { type Debugger = unknown } export default debug }");
  const [, protects = ''] =
    /## Protect a service.*?```ts\n(.*?)```/s.exec(readFileSync(inRoot('README.md'), 'utf8')) ?? [];
  write('service.ts', aroundReadme(protects.replace("['127.0.0.1:19092']", 'brokers')));
  write('identity.ts', IDENTITY);
});
afterAll(async () => {
  await services?.stop();
  await removeDirectory(project);
});

/** All declarations are checked, of the packages too. */
const COMPILER_OPTIONS = {
  module: 'nodenext',
  target: 'es2024',
  lib: ['es2024'],
  types: ['node'],
  strict: true,
  skipLibCheck: false,
  noEmit: true,
};

const SETTINGS = `const { brokers, redisUrl, issuer }: { brokers: string[]; redisUrl: string; issuer: string } =
  JSON.parse(process.env['SETTINGS'] ?? '{}');`;

/** The README's lines as a service, and one of Express beside them. It says where both listen. */
const aroundReadme = (protects: string) => `
import { protect } from '@curfew/sidecar/express';
import express from 'express';
import { fastify } from 'fastify';

${SETTINGS}
const app = fastify();
const ordersOf = (subject: string) => ({ of: subject });
const catalog = {};
${protects}
await app.listen({ port: 0 });
const inExpress = express()
  .use(protect(sidecar))
  .get('/orders', ({ session }, response) => void response.json(ordersOf(session.subject)))
  .listen(0, () => process.send?.([app.server.address(), inExpress.address()]));
`;

const IDENTITY = `
import { createPublisher, type Published } from '@curfew/publisher';

${SETTINGS}
const publisher = createPublisher({ brokers, issuer });
await publisher.start();
const { id, partition, offset }: Published = await publisher.passwordChanged({ subject: 'packages-alice' });
process.send?.({ id, partition, offset });
await publisher.close();
`;

/** Runs a program of the project until it says something. */
async function says<T>(name: string): Promise<{ started: Started; said: T }> {
  const settings = { ...inject('stack'), issuer: services.urls['session-service'] };
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const started = await startProcess({
    name,
    command: process.execPath,
    args: [name],
    cwd: project,
    env: { SETTINGS: JSON.stringify(settings) },
    log: inProject(`${name}.log`),
    onMessage: (message) => resolve(message as T),
  });
  started.ended.then((how) => reject(new Error(`${how}: ${readFileSync(started.log, 'utf8')}`)));
  return { started, said: await promise };
}

test('every entry point that the libraries have in here can be imported there', async () => {
  const names = installed.flatMap(({ name, exports }) => Object.keys(exports).map((path) => join(name, path)));
  const inHere = installed.flatMap(({ name }) => {
    const { exports } = manifestOf(inRoot('node_modules', name, 'package.json'));
    return Object.keys(exports).map((path) => join(name, path));
  });
  expect(names).toEqual(inHere);
  expect(names).toEqual(expect.arrayContaining(['@curfew/cli', '@curfew/publisher', '@curfew/sidecar/fastify']));
  await node('--input-type=module', '--eval', names.map((name) => `import '${name}';`).join('\n'));
});

test('what is written against them type-checks, and so do their declarations', async () => {
  await run(process.execPath, [inRoot('node_modules/typescript/bin/tsc')], { cwd: project }).catch(({ stdout }) =>
    expect.fail(stdout),
  );
});

test('the lines of the README protect a service, Express does, and an event by the publisher ends a session', async () => {
  const { body } = await call('POST', `${services.urls['session-service']}/v1/sessions`, {
    as: 'login',
    body: { subject: 'packages-alice' },
  });
  const { started, said } = await says<{ port: number }[]>('service.ts');
  try {
    const answers = () =>
      Promise.all(
        said.map(async ({ port }) =>
          inWords(await call('GET', `http://127.0.0.1:${port}/orders`, { token: String(body['accessToken']) })),
        ),
      );
    expect(await answers()).toEqual(['200', '200']);
    const published = await says<object>('identity.ts');
    expect(published.said).toEqual({
      id: expect.any(String),
      partition: expect.any(Number),
      offset: expect.anything(),
    });
    await expect.poll(answers, { timeout: 10_000 }).toEqual(['401 session_revoked', '401 session_revoked']);
    expect(await published.started.ended).toBe('exit code 0');
  } finally {
    await started.stop();
  }
});

test('the command runs', async () => {
  const { bin } = manifestOf(inProject('node_modules/@curfew/cli/package.json'));
  const { stdout } = await node(inProject('node_modules/@curfew/cli', bin?.['curfew'] ?? ''), '--help');
  expect(stdout).toContain('curfew <command>');
});
