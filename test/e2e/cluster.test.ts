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
const sessionsUrl = () => `${services.urls['session-service']}/v1/sessions`;
const signIn = async (more: object = {}) =>
  (await call('POST', sessionsUrl(), { as: 'login', body: { subject, tenant: 'acme', roles: ['buyer'], ...more } }))
    .body;
const order = async (token: unknown) =>
  inWords(await call('POST', `${services.urls.orders}/orders`, { token: String(token), body: { item: 'book' } }));
const say = async (event: string, body: object = {}) =>
  expect(
    (
      await call('POST', `${services.urls['identity-publisher']}/v1/${event}`, {
        as: 'identity',
        body: { subject, ...body },
      })
    ).status,
  ).toBe(202);

test('a session lives and ends with a Redis Cluster as with one server', async () => {
  const first = await signIn();
  expect(await order(first['accessToken'])).toBe('201');
  const renewed = await call('POST', `${sessionsUrl()}/refresh`, { body: { refreshToken: first['refreshToken'] } });
  expect(inWords(renewed)).toBe('200');
  expect(await order(renewed.body['accessToken'])).toBe('201');
  await say('password-changed');
  await expect.poll(() => order(renewed.body['accessToken'])).toBe('401 session_revoked');
});

test('no key stays for ever but the positions, and the versions of accounts that are disabled', async () => {
  const [second, third] = [await signIn({ client: { device: 'phone' } }), await signIn()];
  await say('roles-changed', { roles: ['clerk'] });
  await expect.poll(() => order(second['accessToken'])).toBe('401 session_stale');
  const renewed = await call('POST', `${sessionsUrl()}/refresh`, { body: { refreshToken: second['refreshToken'] } });
  expect(await order(renewed.body['accessToken'])).toBe('201');
  expect((await call('DELETE', `${sessionsUrl()}/${third['sid']}`, { as: 'login' })).status).toBe(202);
  await say('account-disabled');
  await expect.poll(() => order(renewed.body['accessToken'])).toBe('401 session_revoked');

  const forEver = (await keysWithoutEnd(redis)).filter((key) => !key.startsWith('curfew:pos:'));
  expect(forEver.some((key) => key.endsWith(`:u:${subject}`))).toBe(true);
  for (const key of forEver) expect(await redis.client.hget(key, 'blocked'), key).toBe('1');
});
