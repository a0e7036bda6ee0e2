import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectStore } from '../../services/session-service/src/store/redis-connection.ts';
import { call, inWords } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';
import { keysWithoutEnd } from '../support/stores.ts';

/** The services with a Redis Cluster: a script or a transaction across two slots would fail. */
let services: Services;
const redis = connectStore(inject('clusterUrl'));

beforeAll(async () => {
  await redis.start(() => {});
  services = await startServices({ brokers: inject('stack').brokers, redisUrl: inject('clusterUrl') });
});
afterAll(async () => {
  await services?.stop();
  await redis.close();
});

const subject = randomUUID();
const ask = (method: string, path: string, body?: unknown) =>
  call(method, `${services.urls['session-service']}/v1/${path}`, {
    as: 'login',
    ...(body === undefined ? {} : { body }),
  });
const signIn = async (more: object = {}) =>
  (await ask('POST', 'sessions', { subject, tenant: 'acme', roles: ['buyer'], ...more })).body;
const refresh = (shown: object) => ask('POST', 'sessions/refresh', shown);
const order = async (token: unknown) =>
  inWords(await call('POST', `${services.urls.orders}/orders`, { token: String(token), body: { item: 'book' } }));
const say = async (event: string, body: object = {}) => {
  const url = `${services.urls['identity-publisher']}/v1/${event}`;
  expect((await call('POST', url, { as: 'identity', body: { subject, ...body } })).status).toBe(202);
};

test('a session lives and ends with a Redis Cluster as with one server', async () => {
  const { accessToken, refreshToken } = await signIn();
  expect(await order(accessToken)).toBe('201');
  const renewed = await refresh({ refreshToken });
  expect(inWords(renewed)).toBe('200');
  expect(await order(renewed.body['accessToken'])).toBe('201');
  await say('password-changed');
  await expect.poll(() => order(renewed.body['accessToken'])).toBe('401 session_revoked');
});

test('after all that can be asked no key stays for ever but the positions, and the versions of disabled accounts', async () => {
  const phone = await signIn({ client: { device: 'phone' }, ux: { theme: 'dark' } });
  const { cookie } = await signIn({ mode: 'cookie' });
  const stolen = await signIn();
  const replaced = await signIn();
  const left = await signIn();
  await say('roles-changed', { roles: ['clerk'] });
  await expect.poll(() => order(phone['accessToken'])).toBe('401 session_stale');
  const answers = [
    await refresh({ cookie }),
    await ask('PATCH', `sessions/${phone['sid']}`, { ux: { theme: 'light' } }),
    await ask('POST', 'sessions/reauthenticate', { refreshToken: replaced['refreshToken'], tier: 'payment' }),
    await ask('DELETE', `sessions/${left['sid']}`),
    await ask('GET', `subjects/${subject}/sessions`),
  ];
  expect(answers.map(inWords)).toEqual(['200', '200', '201', '202', '200']);
  // Twice exchanged, then shown once more.
  const second = await refresh({ refreshToken: stolen['refreshToken'] });
  expect(inWords(await refresh({ refreshToken: second.body['refreshToken'] }))).toBe('200');
  expect(inWords(await refresh({ refreshToken: stolen['refreshToken'] }))).toMatch(/^401/);
  await say('account-disabled');
  await expect.poll(async () => inWords(await ask('POST', 'sessions', { subject }))).toMatch(/^40/);

  const forEver = (await keysWithoutEnd(redis)).filter((key) => !key.startsWith('curfew:pos:'));
  expect(forEver.filter((key) => !key.startsWith('curfew:ver:'))).toEqual([]);
  for (const key of forEver) expect(await redis.client.hget(key, 'blocked'), key).toBe('1');
  expect(forEver.some((key) => key.endsWith(`:u:${subject}`))).toBe(true);
});
