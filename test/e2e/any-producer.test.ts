import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { NO_KCAT, onPath } from '../../infra/local/programs.mjs';
import { call, inWords } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

const stack = inject('stack');
let services: Services;

const noKcat = !onPath('kcat');
if (noKcat) console.warn(NO_KCAT);

/** Produces a record as any program may: by librdkafka's own command line. */
async function kcat(key: string, value: string | null, ...more: string[]): Promise<void> {
  const topic = ['-t', 'curfew.account-events', '-X', 'topic.partitioner=murmur2_random'];
  const large = ['-X', 'message.max.bytes=2000000'];
  // kcat has a null value (-Z) only where it reads the key from its input as well.
  const record = value === null ? ['-K', '|', '-Z'] : ['-k', key];
  const process = spawn('kcat', ['-P', '-b', stack.brokers.join(','), ...topic, ...large, ...record, ...more]);
  process.stdin.end(value ?? `${key}|`);
  const [code] = await once(process, 'exit');
  expect(code).toBe(0);
}

async function signIn(subject: string): Promise<() => Promise<string>> {
  const { body } = await call('POST', `${services.urls['session-service']}/v1/sessions`, {
    as: 'login',
    body: { subject },
  });
  const token = String(body['accessToken']);
  return async () => inWords(await call('GET', `${services.urls.payments}/payments`, { token }));
}

const credentialChange = (subject: string) =>
  JSON.stringify({
    iss: 'https://id.example.com',
    jti: randomUUID(),
    iat: 1795507200,
    txn: '8a',
    sub_id: { format: 'opaque', id: subject },
    events: {
      'https://schemas.openid.net/secevent/caep/event-type/credential-change': {
        credential_type: 'password',
        change_type: 'update',
        event_timestamp: 1795507200,
        initiating_entity: 'user',
      },
    },
  });

describe.skipIf(noKcat)('an account event of another program', () => {
  beforeAll(async () => {
    services = await startServices(stack);
  });
  afterAll(() => services?.stop());

  test('ends the sessions of its subject: a record of kcat, without any header', async () => {
    const alice = `alice-${randomUUID()}`;
    const request = await signIn(alice);
    expect(await request()).toBe('200');
    await kcat(alice, credentialChange(alice));
    await expect.poll(request, { timeout: 5000 }).toBe('401 session_revoked');
  });

  test.each(['gzip', 'snappy', 'lz4', 'zstd'])('does so compressed by %s', async (codec) => {
    const alice = `alice-${randomUUID()}`;
    const request = await signIn(alice);
    await kcat(alice, credentialChange(alice), '-z', codec);
    await expect.poll(request, { timeout: 5000 }).toBe('401 session_revoked');
  });

  test('does so with a header that has no value', async () => {
    const alice = `alice-${randomUUID()}`;
    const request = await signIn(alice);
    await kcat(alice, credentialChange(alice), '-H', 'x-null');
    await expect.poll(request, { timeout: 5000 }).toBe('401 session_revoked');
  });

  test('does so after records of the same key that nobody can understand, and those are kept', async () => {
    const alice = `alice-${randomUUID()}`;
    const request = await signIn(alice);
    await kcat(alice, '{"iss":');
    await kcat(alice, 'x'.repeat(1024 * 1024));
    await kcat(alice, null);
    await kcat(alice, JSON.stringify({ ...JSON.parse(credentialChange(alice)), events: { 'urn:x': {} } }));
    await kcat(alice, credentialChange(alice).replace('"opaque"', '"did"'));
    expect(await request()).toBe('200');
    await kcat(alice, credentialChange(alice));
    await expect.poll(request, { timeout: 5000 }).toBe('401 session_revoked');

    const rejected = ['-C', '-q', '-e', '-b', stack.brokers.join(','), '-t', 'curfew.account-events.rejected'];
    const { stdout } = await promisify(execFile)('kcat', [...rejected, '-f', '%k %h\n']);
    const errors = stdout
      .split('\n')
      .filter((line) => line.startsWith(alice))
      .map((line) => /error=(\w+)/.exec(line)?.[1]);
    expect(errors).toEqual([
      'json_malformed',
      'value_too_large',
      'value_missing',
      'event_type_unknown',
      'subject_format_unknown',
    ]);
  });
});
