import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { writeEnvironmentFile } from '../../../infra/docker/environment-file.mjs';
import { STAND_INS } from '../../../infra/docker/stand-ins.mjs';
import { inRoot } from '../../../infra/local/paths.mjs';

const directory = mkdtempSync(join(tmpdir(), 'curfew-environment-'));
const file = join(directory, '.env');
beforeEach(() => rmSync(file, { force: true }));
afterAll(() => rmSync(directory, { recursive: true }));

const written = () =>
  Object.fromEntries(
    [...readFileSync(file, 'utf8').matchAll(/^(\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]),
  );

test('it has a value for every variable that docker-compose.yml takes, and its owner alone reads it', () => {
  writeEnvironmentFile(STAND_INS, file);
  const compose = readFileSync(inRoot('docker-compose.yml'), 'utf8');
  const taken = [...compose.matchAll(/\$\{(\w+):-|environment: (CURFEW_\w+)/g)].map(
    ([, name, secret]) => name ?? secret,
  );
  expect(Object.keys(written()).sort()).toEqual([...new Set(taken)].sort());
  for (const [name, value] of Object.entries(written())) expect(value, name).not.toBe('');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('where the public images serve, it names none', () => {
  writeEnvironmentFile(undefined, file);
  expect(Object.keys(written()).filter((name) => name.endsWith('_IMAGE'))).toEqual([]);
});

test('a second run keeps every value, so that nobody loses a session or is shut out of Redis', () => {
  writeEnvironmentFile(undefined, file);
  const before = written();
  writeEnvironmentFile(STAND_INS, file);
  expect(written()).toMatchObject(before);
});

test('a file that others could read is closed to them, also where no value is missing', () => {
  for (const mode of [0o644, 0o666]) {
    writeEnvironmentFile(STAND_INS, file);
    chmodSync(file, mode);
    writeEnvironmentFile(STAND_INS, file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  }
});

test('what somebody wrote there stays, and counts', () => {
  writeFileSync(file, '# mine\nCURFEW_CLIENTS=[]\nOTHER=1');
  writeEnvironmentFile(undefined, file);
  expect(readFileSync(file, 'utf8')).toMatch(/^# mine\nCURFEW_CLIENTS=\[\]\nOTHER=1\nCURFEW_/);
  expect(written()).not.toHaveProperty('CURFEW_CLIENTS');
});
