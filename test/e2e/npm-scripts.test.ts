import { existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { inRoot, LOCAL } from '../../infra/local/paths.mjs';
import { type Started, startProcess } from '../../infra/local/processes.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { alive } from '../support/alive.ts';
import { startedBy } from '../support/started-by.ts';

const logs = mkdtempSync(join(tmpdir(), 'curfew-npm-'));
let npm: Started | undefined;
afterEach(async () => {
  await npm?.stop();
  await removeDirectory(logs);
});

test.each([
  ['npm test', ['test', '--', '--project', 'integration'], /^test-\d+$/],
  ['npm run bench', ['run', 'bench', '--', '--only', 'propagation'], /^bench-\d+$/],
])('%s leaves nothing behind when npm is ended', { timeout: 60_000 }, async (_, args, directories) => {
  mkdirSync(LOCAL, { recursive: true });
  const before = new Set(readdirSync(LOCAL));
  // A run of its own, not one inside this run.
  const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST') && name !== 'NODE_ENV');
  const none = { CURFEW_KAFKA_BROKERS: '', CURFEW_REDIS_URL: '', CURFEW_TEST_CONTAINERS: '' };
  const env = { ...Object.fromEntries(outside), ...none };
  npm = await startProcess({ name: 'npm', command: 'npm', args, env, cwd: inRoot(), log: join(logs, 'npm.log') });
  const started = await vi.waitFor(
    () => {
      const all = startedBy(npm?.pid);
      const running = all.map((one) => one.args).join('\n');
      expect(running).toMatch(/java.* kafka\.Kafka/);
      expect(running).toContain('redis-server');
      return all;
    },
    { timeout: 40_000, interval: 100 },
  );
  const made = readdirSync(LOCAL).filter((name) => directories.test(name) && !before.has(name));
  expect(made).toHaveLength(1);

  process.kill(npm.pid, 'SIGTERM');
  await npm.ended;
  await vi.waitFor(
    () => {
      expect(started.filter(({ pid }) => alive(pid))).toEqual([]);
      expect(made.filter((name) => existsSync(join(LOCAL, name)))).toEqual([]);
    },
    { timeout: 10_000, interval: 100 },
  );
});
