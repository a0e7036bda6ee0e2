import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createKafka } from '@curfew/publisher';
import { Redis } from 'ioredis';
import { afterAll, afterEach, expect, test } from 'vitest';
import { kafkaFiles } from '../../../infra/local/kafka-jars.mjs';
import { inRoot } from '../../../infra/local/paths.mjs';
import { freePort } from '../../../infra/local/ports.mjs';
import { startServer } from '../../../infra/local/redis.mjs';
import { removeDirectory } from '../../../infra/local/remove-directory.mjs';
import { startSecuredKafka } from '../../support/secured-kafka.ts';
import { REDIS_USERS, redisPasswordOf } from '../../support/secured-redis.ts';

/** It has what a shell, a properties file and `kafka-configs.sh` may take for something else. */
const PASSWORD = 'a,b]c=d\\e"$f#!:g';

// Where somebody follows docs/managed.md: a clone, with the passwords beside it.
const directory = mkdtempSync(join(tmpdir(), 'curfew-managed-'));
const secret = (name: string, password: string) => writeFileSync(join(directory, 'secrets', name), `${password}\n`);
for (const name of ['secrets', 'bin', 'redis']) mkdirSync(join(directory, name));
symlinkSync(inRoot('infra'), join(directory, 'infra'));
writeFileSync(join(directory, 'admin.properties'), '');

let stop = async (): Promise<void> => {};
afterEach(() => stop());
afterAll(() => removeDirectory(directory));

/**
 * Runs the commands of docs/managed.md that stand in one block with these words.
 *
 * @param program what is behind the command with this name
 * @returns the arguments that the command was called with, which everybody on the machine can see
 */
function follow(
  words: string,
  [name, program]: readonly [string, string],
  env: Readonly<Record<string, string>>,
): string {
  const blocks = [...readFileSync(inRoot('docs/managed.md'), 'utf8').matchAll(/^```sh\n(.*?)^```/gms)];
  const block = blocks.map(([, commands = '']) => commands).find((commands) => commands.includes(words));
  const PATH = `${process.env['PATH']}`;
  const file = join(directory, 'bin', name);
  writeFileSync(file, `#!/bin/sh\nprintf "%s\\n" "$*" >> ${name}.called\nPATH='${PATH}' exec ${program} "$@"\n`);
  chmodSync(file, 0o755);
  execFileSync('sh', ['-euc', `${block}`], {
    cwd: directory,
    env: { ...env, PATH: `${join(directory, 'bin')}${delimiter}${PATH}` },
    stdio: 'pipe',
  });
  return readFileSync(join(directory, `${name}.called`), 'utf8');
}

test('the commands of docs/managed.md give each user of a managed Redis its password, which nobody sees', async () => {
  const port = await freePort();
  const users = join(directory, 'users.acl');
  writeFileSync(users, 'user default off\nuser admin on >of-the-admin ~* &* +@all\n');
  const server = await startServer({
    name: 'redis',
    port,
    working: join(directory, 'redis'),
    args: ['--aclfile', users],
    ready: ['PING', 'NOAUTH'],
    signal: undefined,
  });
  stop = server.stop;
  secret('redis-admin', 'of-the-admin');
  for (const user of REDIS_USERS) secret(`redis-${user}`, redisPasswordOf(user));

  const env = { REDIS_URL: `redis://127.0.0.1:${port}`, ADMIN: 'admin' };
  const called = follow('ACL SETUSER', ['redis-cli', 'redis-cli'], env);
  for (const username of REDIS_USERS) {
    const redis = new Redis({ port, username, password: redisPasswordOf(username) });
    redis.on('error', () => {});
    expect(await redis.ping()).toBe('PONG');
    redis.disconnect();
    expect(called).toContain(` ${username} `);
    expect(called).not.toContain(redisPasswordOf(username));
  }
  expect(called).not.toContain('of-the-admin');
});

test('the command of docs/managed.md gives a user of Kafka its password, which nobody sees', async () => {
  const kafka = await startSecuredKafka(directory);
  stop = kafka.stop;
  const { libs } = await kafkaFiles({ log: join(directory, 'kafka.log') });
  secret('kafka-sidecar', PASSWORD);
  const command = ['kafka-configs.sh', `java -cp '${libs}/*' kafka.admin.ConfigCommand`] as const;
  const called = follow('kafka-configs.sh', command, { BROKERS: `${kafka.admin.brokers[0]}` });
  expect(called).toContain('--entity-name sidecar');
  expect(called).not.toContain(PASSWORD);
  const sidecar = kafka.as('sidecar');
  const admin = createKafka({
    ...sidecar,
    sasl: { ...sidecar.sasl, password: PASSWORD },
    clientId: 'managed-test',
  }).admin();
  await admin.connect();
  await admin.disconnect();
});
