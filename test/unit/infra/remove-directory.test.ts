import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { removeDirectory } from '../../../infra/local/remove-directory.mjs';

test('a directory is removed although a process writes a file into it meanwhile', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'curfew-remove-'));
  const deepest = join(directory, ...Array.from({ length: 50 }, () => 'a'));
  mkdirSync(deepest, { recursive: true });
  const removed = removeDirectory(directory);
  // From the inside out, in many turns: the directory itself was read long before, and goes long after.
  while (existsSync(deepest)) await turn();
  writeFileSync(join(directory, 'late'), '');
  await removed;
  expect(existsSync(directory)).toBe(false);
});

test('a directory that is not there is as removed', async () => {
  await removeDirectory(join(tmpdir(), 'curfew-was-never-there'));
});
