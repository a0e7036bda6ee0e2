import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { onPath, provide } from '../../../infra/local/programs.mjs';

const directory = mkdtempSync(join(tmpdir(), 'curfew-programs-'));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(directory, { recursive: true }));

const program = (name: string, script: string) => {
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, name), 0o755);
};

test('a program is on the PATH where a file there can be run', () => {
  vi.stubEnv('PATH', directory);
  program('there', '');
  writeFileSync(join(directory, 'text'), '');
  expect([onPath('there'), onPath('text'), onPath('absent')]).toEqual([true, false, false]);
});

describe.skipIf(process.getuid?.() !== 0 || !existsSync('/etc/debian_version'))('on Debian as root', () => {
  test('what is absent is installed, and what is there is left alone', async () => {
    vi.stubEnv('PATH', `${directory}${delimiter}/bin`);
    const words: string[] = [];
    const say = (word: string) => words.push(word);
    // A name that no machine has: `java` may be in /bin.
    program('apt-get', `echo "$*" >> '${directory}/ran'; cp '${directory}/apt-get' '${directory}/curfew-java'`);
    expect(await provide('curfew-java', 'default-jre-headless', { say })).toBe(true);
    expect(await provide('curfew-java', 'default-jre-headless', { say })).toBe(true);
    expect(readFileSync(join(directory, 'ran'), 'utf8')).toBe(
      '-q update\n-q install -y --no-install-recommends default-jre-headless\n',
    );
    expect(words).toEqual(['apt-get installs default-jre-headless']);
  });
});
