import { CurfewError, type SecurityEventToken } from '@curfew/contracts';
import { type EventRecord, Publisher } from '@curfew/publisher';
import { afterEach, describe, expect, test } from 'vitest';
import { authorizationOf } from '../../../infra/local/clients.mjs';
import { buildApp } from '../../../services/identity-publisher/src/app.ts';
import { accessOf } from '../../support/access.ts';

const records: EventRecord[] = [];
let absence: CurfewError | undefined;

/** The real publisher, on a log that acknowledges whatever it is given unless it is absent. */
const publisher = new Publisher({
  log: {
    start: async () => {},
    close: async () => {},
    notReady: () => (absence ? [absence.detail ?? absence.message] : []),
    append: async (record) => {
      if (absence) throw absence;
      records.push(record);
      return { partition: 9, offset: 41 };
    },
  },
  issuer: 'https://id.example.com',
  publishTimeoutMs: 1000,
  now: () => 0,
  newId: () => '7f',
});
const app = await buildApp({ access: accessOf(), publisher, logLevel: 'silent' });

afterEach(() => {
  records.length = 0;
  absence = undefined;
});

const post = async (url: string, payload: unknown, contentType = 'application/json') => {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return app.inject({
    method: 'POST',
    url,
    payload: body,
    headers: { 'content-type': contentType, authorization: authorizationOf('identity') },
  });
};

const written = (): SecurityEventToken => JSON.parse(String(records[0]?.value));
const writtenType = (): string | undefined => Object.keys(written().events)[0]?.split('/event-type/')[1];

const set = {
  iss: 'https://other.example.com',
  jti: 'theirs',
  iat: 1_795_507_200,
  sub_id: { format: 'email', email: 'alice@example.com' },
  events: { 'https://schemas.openid.net/secevent/risc/event-type/account-purged': {} },
};

describe('POST', () => {
  test.each([
    ['/v1/password-changed', { subject: 'alice' }, 'credential-change'],
    ['/v1/account-disabled', { subject: 'alice', reason: 'hijacking' }, 'account-disabled'],
    ['/v1/account-enabled', { subject: 'alice' }, 'account-enabled'],
    ['/v1/roles-changed', { subject: 'alice', roles: [] }, 'token-claims-change'],
  ])('%s publishes its event, and answers with its place in the log', async (url, body, type) => {
    const response = await post(url, body);
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ id: '7f', partition: 9, offset: 41 });
    expect(written()).toMatchObject({ iss: 'https://id.example.com', sub_id: { format: 'opaque', id: 'alice' } });
    expect(writtenType()).toBe(type);
  });

  test('/v1/account-events publishes a SET under its own jti', async () => {
    const response = await post('/v1/account-events', set);
    expect(response.statusCode).toBe(202);
    expect(response.json()).toMatchObject({ id: 'theirs' });
    expect(written()).toEqual(set);
    expect(records[0]?.key).toBe('alice@example.com');
  });

  test('/v1/password-changed may spare a session, and say why and by whom', async () => {
    await post('/v1/password-changed', {
      subject: 'alice',
      sessionToKeep: 'phone',
      reason: 'phished',
      initiatingEntity: 'user',
    });
    expect(written().sub_id).toMatchObject({ format: 'complex', session: { format: 'opaque', id: 'phone' } });
    expect(Object.values(written().events)).toMatchObject([
      { reason_admin: { en: 'phished' }, initiating_entity: 'user' },
    ]);
  });
});

describe('a bad body', () => {
  test.each<[string, unknown, string]>([
    ['/v1/password-changed', {}, 'body_invalid'],
    ['/v1/password-changed', '{"subject":', 'body_invalid'],
    ['/v1/password-changed', [], 'body_invalid'],
    ['/v1/password-changed', { subject: 7 }, 'body_invalid'],
    ['/v1/password-changed', { subject: 'a'.repeat(257) }, 'body_invalid'],
    ['/v1/password-changed', { subject: 'alice', sesionToKeep: 'phone' }, 'body_invalid'],
    ['/v1/password-changed', { subject: 'alice', initiatingEntity: 'nobody' }, 'body_invalid'],
    ['/v1/account-disabled', { subject: '' }, 'body_invalid'],
    ['/v1/account-disabled', { subject: '*' }, 'set_rejected'],
    ['/v1/account-enabled', { subject: 'a\ud800' }, 'set_rejected'],
    ['/v1/account-enabled', null, 'body_invalid'],
    ['/v1/roles-changed', { subject: 'alice' }, 'body_invalid'],
    ['/v1/roles-changed', { subject: 'alice', roles: 'admin' }, 'body_invalid'],
    ['/v1/account-events', 'null', 'body_invalid'],
    ['/v1/account-events', { ...set, jti: undefined }, 'set_rejected'],
    ['/v1/account-events', { ...set, events: [] }, 'set_rejected'],
  ])('at %s is refused, and nothing is published: %j', async (url, body, code) => {
    const response = await post(url, body);
    expect(response.json()).toMatchObject({ status: 400, code });
    expect(response.json().reason).toEqual(code === 'set_rejected' ? expect.any(String) : undefined);
    expect(records).toEqual([]);
  });

  test('of another media type is refused', async () => {
    expect((await post('/v1/account-events', 'e30.e30.', 'application/secevent+jwt')).statusCode).toBe(415);
  });
});

describe('without Kafka', () => {
  test('an event is answered with 503 bus_unavailable, and readiness says what is missing', async () => {
    absence = new CurfewError('bus_unavailable', 'Kafka does not answer');
    const response = await post('/v1/account-enabled', { subject: 'bob' });
    expect(response.json()).toMatchObject({ status: 503, code: 'bus_unavailable', detail: 'Kafka does not answer' });
    expect(response.headers['retry-after']).toBe('1');

    const readiness = await app.inject('/readyz');
    expect(readiness.json()).toMatchObject({ status: 503, code: 'not_ready', detail: 'Kafka does not answer' });

    absence = undefined;
    expect((await app.inject('/readyz')).statusCode).toBe(200);
  });
});

test('OpenAPI describes every route, and that each wants events:write', async () => {
  const { paths } = (await app.inject('/openapi.json')).json();
  expect(Object.keys(paths).sort()).toEqual([
    '/v1/account-disabled',
    '/v1/account-enabled',
    '/v1/account-events',
    '/v1/password-changed',
    '/v1/roles-changed',
  ]);
  for (const { post } of Object.values<{ post: { security: object[] } }>(paths))
    expect(post.security).toContainEqual({ clientSecret: ['events:write'] });
});
