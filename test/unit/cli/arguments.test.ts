import { describe, expect, test } from 'vitest';
import { curfew } from '../../support/command.ts';

const COMMANDS = ['revoke', 'status', 'sidecars', 'why', 'tail', 'doctor'];

/** What `--json` says of a failure: `2 option_invalid`. */
async function failing(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, stdout } = await curfew([...args, '--json'], { env });
  return `${code} ${JSON.parse(stdout).code}`;
}

describe('help', () => {
  test('names every command, every variable and every exit code', async () => {
    const { code, stdout } = await curfew(['--help']);
    expect(code).toBe(0);
    for (const word of [...COMMANDS, 'CURFEW_CREDENTIAL', 'CURFEW_REDIS_URL', 'Exit codes'])
      expect(stdout).toContain(word);
  });

  test('comes without any argument too, which is a usage error for a script', async () => {
    const { code, stdout } = await curfew([]);
    expect(code).toBe(2);
    expect(stdout).toContain('Exit codes');
  });

  test.each(COMMANDS)('of %s has an example, and needs nothing else', async (name) => {
    const { code, stdout } = await curfew([name, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^curfew ${name}.*\\n\\n.+\\.\\n[^]*\\nExample:\\n\\n {2}.*curfew ${name}`));
  });
});

describe('an argument that cannot be used is a usage error', () => {
  test.each([
    ['a command that there is not', ['rewoke']],
    ['a name that every object has', ['constructor']],
    ['an option that there is not', ['status', '--all']],
    ['an option without its value', ['revoke', '--subject']],
    ['an argument too many', ['status', 'one', 'two']],
    ['an argument where none is taken', ['doctor', 'redis']],
    ['no session to ask about', ['why']],
    ['what is no session', ['why', 'not a session']],
    ['a revocation of nobody', ['revoke', '--reason', 'x']],
    ['a revocation of two things', ['revoke', '--subject', 'alice', '--everyone']],
    ['a revocation of a subject and a tenant', ['revoke', '--subject', 'alice', '--tenant', 'acme']],
    ['all tenants by their number', ['revoke', '--tenant', '*']],
    ['a time that is none', ['revoke', '--subject', 'alice', '--wait', '--timeout-ms', '1s']],
    ['a time for nothing', ['revoke', '--subject', 'alice', '--timeout-ms', '5']],
  ])('%s', async (_, args) => {
    expect(await failing(args, { CURFEW_CREDENTIAL: 'admin:secret' })).toBe('2 option_invalid');
  });

  test('and so is an environment that cannot be used, whose values are not shown', async () => {
    for (const env of [
      { CURFEW_SESSION_SERVICE_URL: 'ftp://planted-secret' },
      { CURFEW_SESSION_SERVICE_URL: 'http://admin:planted-secret@127.0.0.1' },
      { CURFEW_CREDENTIAL: 'planted-secret' },
      { CURFEW_KAFKA_BROKERS: 'planted-secret' },
      { CURFEW_REDIS_URL: 'http://planted-secret' },
    ]) {
      const { code, stdout, stderr } = await curfew(['status'], { env: { CURFEW_CREDENTIAL: 'admin:x', ...env } });
      expect(code, JSON.stringify(env)).toBe(2);
      expect(stdout + stderr).not.toContain('planted-secret');
    }
  });

  test('without a credential nothing is asked', async () => {
    expect(await failing(['status'])).toBe('2 option_invalid');
  });

  test('a secret in the wrong place is not shown', async () => {
    for (const args of [
      ['planted-secret'],
      ['status', '--planted', 'planted-secret'],
      ['doctor', 'planted-secret'],
      ['doctor', '--json=planted-secret'],
    ]) {
      const { stdout, stderr } = await curfew(args);
      expect(stdout + stderr).not.toContain('planted-secret');
      expect(stderr).toContain('option_invalid');
    }
  });
});

test('what does not answer is told by exit code 3, with what to look at', async () => {
  const env = { CURFEW_SESSION_SERVICE_URL: 'http://127.0.0.1:1', CURFEW_CREDENTIAL: 'admin:planted-secret' };
  expect(await failing(['sidecars'], env)).toBe('3 upstream_unavailable');
  const { stderr } = await curfew(['sidecars'], { env });
  expect(stderr).toContain('CURFEW_SESSION_SERVICE_URL');
  expect(stderr).not.toContain('planted-secret');
});
