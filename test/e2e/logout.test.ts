import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startKafka } from '../../infra/local/kafka.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { call, inWords } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

let directory: string;
let kafka: Awaited<ReturnType<typeof startKafka>>;
let services: Services;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'curfew-logout-'));
  const [port = 0] = await freePorts(1);
  kafka = await startKafka({ port, directory });
  services = await startServices({ brokers: [kafka.brokers], redisUrl: inject('stack').redisUrl });
});

afterAll(async () => {
  await services?.stop();
  await kafka?.stop();
  await removeDirectory(directory);
});

test('a logout holds while Kafka hangs, says so, and takes effect once Kafka is back', {
  timeout: 60_000,
}, async () => {
  const sessionsUrl = `${services.urls['session-service']}/v1/sessions`;
  const signedIn = await call('POST', sessionsUrl, { as: 'login', body: { subject: 'alice-of-the-outbox' } });
  const { sid, accessToken, refreshToken } = signedIn.body;
  const request = async () =>
    inWords(await call('GET', `${services.urls.payments}/payments`, { token: String(accessToken) }));
  expect(await request()).toBe('200');

  process.kill(kafka.pid, 'SIGSTOP');
  try {
    const ended = await call('DELETE', `${sessionsUrl}/${sid}`, { as: 'login' });
    expect(ended.status).toBe(202);
    expect(ended.body).toEqual({ id: expect.any(String), status: 'accepted, not yet effective' });
    expect(inWords(await call('POST', `${sessionsUrl}/refresh`, { body: { refreshToken } }))).toBe(
      '401 refresh_token_invalid',
    );
  } finally {
    process.kill(kafka.pid, 'SIGCONT');
  }
  await expect.poll(request, { timeout: 30_000 }).toBe('401 session_revoked');
});
