import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRedisSecurity } from '@curfew/contracts';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { inRoot } from '../../../infra/local/paths.mjs';
import { REDIS_USERS } from '../../support/secured-redis.ts';

const directory = mkdtempSync(join(tmpdir(), 'curfew-passwords-'));
const fileOf = (user: string) => join(directory, `redis-${user}`);
const file = fileOf('sidecar');
beforeEach(() => {
  for (const user of REDIS_USERS) writeFileSync(fileOf(user), 'secret');
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The hash that Redis gets of the password in the file. */
const given = (): string | undefined => {
  const users = execFileSync('sh', [inRoot('infra/redis/users.sh'), directory], { encoding: 'utf8', stdio: 'pipe' });
  return /^user sidecar #(\w+) /m.exec(users)?.[1];
};
const hashOf = (password: string | undefined) => createHash('sha256').update(`${password}`).digest('hex');

test.each([
  ['secret', 'secret'],
  ['secret\n', 'secret'],
  ['secret\r\n', 'secret'],
  ['secret\n\n', 'secret\n'],
  ['secret\r', 'secret\r'],
  ['with a "quote", $HOME and \\n.\n', 'with a "quote", $HOME and \\n.'],
])("Redis' users and a service find the same password in a file with %j", (content, password) => {
  writeFileSync(file, content);
  expect(readRedisSecurity({ CURFEW_REDIS_URL: 'redis://sidecar@h', CURFEW_REDIS_PASSWORD_FILE: file }).password).toBe(
    password,
  );
  expect(given()).toBe(hashOf(password));
});

test.each([
  ['is missing', undefined],
  ['is empty', ''],
  ['is a newline', '\n'],
])('Redis does not start without a password of each user: a file that %s is an error', (_, content) => {
  if (content === undefined) rmSync(file);
  else writeFileSync(file, content);
  expect(given).toThrow(file);
});
