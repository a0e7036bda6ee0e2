import { readFileSync } from 'node:fs';
import { ERRORS, SECURITY_VARIABLES, TOPIC_CONFIG } from '@curfew/contracts';
import { expect, test } from 'vitest';
import { inRoot } from '../../../infra/local/paths.mjs';
import { REFUSALS } from '../../../libs/contracts/src/refusal.ts';

const read = (path: string) => readFileSync(inRoot(path), 'utf8');
const page = read('docs/managed.md');
const firstCells = (text: string) => [...text.matchAll(/^\| `(\w+)`/gm)].map(([, cell = '']) => cell);

test('docs/managed.md names each variable of the settings, and no other', () => {
  const read = [...`${SECURITY_VARIABLES}`.matchAll(/CURFEW_\w+/g)].map(([name]) => name);
  const named = firstCells(page).filter((name) => name.startsWith('CURFEW_'));
  expect(new Set(named)).toEqual(new Set([...read, 'CURFEW_KAFKA_BROKERS', 'CURFEW_REDIS_URL']));
});

test('docs/managed.md says what each reason means, and names no other', () => {
  const named = firstCells(page).filter((name) => !name.startsWith('CURFEW_'));
  expect(named).toEqual(Object.keys(REFUSALS));
  for (const code of ['bus_unavailable', 'store_unavailable', 'option_invalid'])
    expect([page.includes(code), code in ERRORS]).toEqual([true, true]);
});

test('docs/managed.md creates the topics as the session service does', () => {
  const commands = [...page.matchAll(/^topic (\S+) --partitions \d+ (.*)$/gm)];
  const configs = commands.map(([, topic = '', args = '']) => [
    topic,
    Object.fromEntries([...args.matchAll(/--config (\S+?)=(\S+)/g)].map(([, name, value]) => [name, value])),
  ]);
  expect(Object.fromEntries(configs)).toEqual(TOPIC_CONFIG);
});

test('no password stands in the files with users and rights', () => {
  for (const path of ['infra/redis/users.acl', 'infra/kafka/acls.txt'])
    expect(read(path)).not.toMatch(/^(user .* (>\S|#[0-9a-f]{64})|--add .*password)/m);
});
