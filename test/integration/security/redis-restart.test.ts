import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { inRoot } from '../../../infra/local/paths.mjs';
import { freePorts } from '../../../infra/local/ports.mjs';
import { startProcess } from '../../../infra/local/processes.mjs';
import { removeDirectory } from '../../../infra/local/remove-directory.mjs';
import { REDIS_USERS } from '../../support/secured-redis.ts';

const directory = mkdtempSync(join(tmpdir(), 'curfew-redis-restart-'));
afterAll(() => removeDirectory(directory));

test('what a script wrote is there after a restart, although nobody can sign in as `default`', async () => {
  for (const user of REDIS_USERS) writeFileSync(`${directory}/redis-${user}`, 'secret');
  const users = `${directory}/users.acl`;
  writeFileSync(users, execFileSync('sh', [inRoot('infra/redis/users.sh'), directory], { stdio: 'pipe' }));
  const [port = 0] = await freePorts(1);
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--aclfile', users];
  const start = () =>
    startProcess({
      name: 'Redis',
      command: 'redis-server',
      args: [...args, '--appendonly', 'yes'],
      log: `${directory}/redis.log`,
    });
  let server = await start();
  const redis = new Redis({ port, username: 'session-service', password: 'secret' });
  redis.on('error', () => {});
  try {
    // Two writes: with one, it is no transaction.
    const script = "redis.call('SET', KEYS[1], '1') redis.call('HSET', KEYS[2], 'a', '1')";
    await redis.eval(script, 2, 'curfew:a', 'curfew:b');
    await server.stop();
    server = await start();
    expect(await redis.get('curfew:a')).toBe('1');
  } finally {
    redis.disconnect();
    await server.stop();
  }
});
