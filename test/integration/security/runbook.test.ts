import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TOPICS } from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inRoot } from '../../../infra/local/paths.mjs';
import { freePorts } from '../../../infra/local/ports.mjs';
import { NO_KCAT, onPath } from '../../../infra/local/programs.mjs';
import { startServer } from '../../../infra/local/redis.mjs';
import { removeDirectory } from '../../../infra/local/remove-directory.mjs';
import { ensureTopics } from '../../../services/session-service/src/events/kafka-topics.ts';
import { startSecuredKafka } from '../../support/secured-kafka.ts';
import { REDIS_USERS } from '../../support/secured-redis.ts';

const page = (name: string) => readFileSync(inRoot(`docs/${name}.md`), 'utf8');
/** What the runbook says to type that begins so. */
const commands = (start: string) =>
  [...page('runbook').matchAll(/`([^`]+)`/g)].flatMap(([, text = '']) =>
    text.startsWith(start) ? [text.replaceAll('\n', ' ')] : [],
  );
/** The block of docs/managed.md with this line in it. */
const block = (line: string) =>
  page('managed')
    .split('```')
    .find((text, i) => i % 2 === 1 && text.includes(line))
    ?.replace(/^\w+\n/, '') ?? '';

const directory = mkdtempSync(join(tmpdir(), 'curfew-runbook-'));
const ends: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  await Promise.all(ends.map((end) => end()));
  await removeDirectory(directory);
});

const type = async (command: string, variables: Readonly<Record<string, string>>) =>
  (await promisify(execFile)('sh', ['-c', command], { cwd: directory, env: { ...process.env, ...variables } })).stdout;

const noKcat = !onPath('kcat');
if (noKcat) console.warn(NO_KCAT);

test.skipIf(noKcat)('the operator reads the events that were rejected, as the runbook says it', async () => {
  const secured = await startSecuredKafka(directory);
  ends.push(() => secured.stop());
  const service = createKafka({ ...secured.as('session-service'), clientId: 'runbook-test' });
  const [admin, producer] = [service.admin(), service.producer({ allowAutoTopicCreation: false })];
  await Promise.all([admin.connect(), producer.connect()]);
  ends.unshift(() => Promise.all([admin.disconnect(), producer.disconnect()]));
  await ensureTopics(admin, 1);
  const messages = [{ key: 'alice', value: '{', headers: { error: 'set_invalid' } }];
  await producer.send({ topic: TOPICS.rejected, acks: -1, messages });

  // SCRAM is not for every kcat: see there.
  const { brokers, sasl } = secured.as('operator', 'PLAIN');
  writeFileSync(join(directory, 'ca.crt'), secured.ca.cert);
  const config = block('sasl.username=operator').replace('<password>', sasl.password);
  writeFileSync(join(directory, 'kcat.conf'), config.replace('SCRAM-SHA-512', sasl.mechanism));
  const [command = ''] = commands('kcat ');
  const read = await type(command.replace('<broker>', `${brokers[0]}`), { KCAT_CONFIG: 'kcat.conf' });
  expect(read).toBe('error=set_invalid alice\n');
});

describe('what the runbook says to type to Redis', () => {
  const password = 'secret';
  let port = 0;
  beforeAll(async () => {
    const secrets = join(directory, 'secrets');
    mkdirSync(secrets);
    for (const user of REDIS_USERS) writeFileSync(join(secrets, `redis-${user}`), password);
    const users = join(directory, 'users.acl');
    writeFileSync(users, execFileSync('sh', [inRoot('infra/redis/users.sh'), secrets], { stdio: 'pipe' }));
    await type(block('user admin').replace('/run/users.acl', users), { ADMIN_PASSWORD: password });
    [port = 0] = await freePorts(1);
    const working = join(directory, 'redis');
    mkdirSync(working);
    const ready = ['PING', 'NOAUTH'] as const;
    const redis = await startServer({
      name: 'Redis',
      port,
      working,
      args: ['--aclfile', users],
      ready,
      signal: undefined,
    });
    ends.push(() => redis.stop());
  });
  const typeAs = (user: string, command: string) =>
    type(command, { ADMIN_URL: `redis://${user}:${password}@127.0.0.1:${port}` });

  test.each(commands('redis-cli '))('the administrator may do it, and the operator may not: %s', async (command) => {
    expect(await typeAs('operator', command)).toMatch(/^NOPERM /);
    expect(await typeAs('admin', command)).toBe('OK\n');
  });

  test('has Redis evict nothing any more', async () => {
    await typeAs('admin', 'redis-cli -u "$ADMIN_URL" CONFIG SET maxmemory-policy allkeys-lru');
    for (const command of commands('redis-cli ')) await typeAs('admin', command);
    const set = await typeAs('admin', 'redis-cli -u "$ADMIN_URL" CONFIG GET maxmemory-policy');
    expect(set).toBe('maxmemory-policy\nnoeviction\n');
  });
});
