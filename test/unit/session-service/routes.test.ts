import { CurfewError } from '@curfew/contracts';
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { authorizationOf, type LocalClient } from '../../../infra/local/clients.mjs';
import { buildApp } from '../../../services/session-service/src/app.ts';
import { accessOf } from '../../support/access.ts';
import { sessionLives } from '../../support/session-lives.ts';

/** What the access token of a test says. */
let sid: string;
let authenticatedAt: number;
let lives: Awaited<ReturnType<typeof sessionLives>>;
let app: Awaited<ReturnType<typeof buildApp>>;

beforeEach(async () => {
  sid = 'laptop';
  authenticatedAt = Date.now();
  lives = await sessionLives(Date.now());
  const { end } = lives;
  app = await buildApp({
    ...lives,
    access: accessOf({ verifyAccessToken: async () => ({ subject: 'alice', sid, authenticatedAt }) }),
    revocations: { end },
    notReady: () => [],
    logLevel: 'silent',
  });
});

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
const ask = (method: Method, url: string, payload?: object, as: LocalClient = 'login') =>
  app.inject({ method, url, headers: { authorization: authorizationOf(as) }, ...(payload && { payload }) });
const post = (url: string, payload: object, as?: LocalClient) => ask('POST', url, payload, as);
const get = (url: string) => ask('GET', url);

describe('the session service over HTTP', () => {
  test('creates, reads, refreshes and ends a session', async () => {
    const created = await post('/v1/sessions', {
      subject: 'alice',
      roles: ['admin'],
      amr: ['pwd'],
      client: { device: 'laptop', userAgent: 'curl', ip: '192.0.2.77' },
    });
    expect(created.statusCode).toBe(201);
    expect(created.headers['cache-control']).toBe('no-store');
    const { sid, refreshToken, version } = created.json();
    expect(version).toMatchObject({ s: 0, t: 0, r: 0 });

    const read = await get(`/v1/sessions/${sid}`);
    expect(read.json()).toMatchObject({ sid, subject: 'alice', amr: ['pwd'], device: 'laptop', standing: 'active' });
    expect(read.json()).toMatchObject({ tier: 'account', ip: '192.0.2.0/24', userAgent: 'curl' });
    expect(read.body).not.toContain('refresh');

    const refreshed = await post('/v1/sessions/refresh', { refreshToken });
    expect(refreshed.statusCode).toBe(200);
    expect(refreshed.json()).toMatchObject({ sid });

    const ended = await ask('DELETE', `/v1/sessions/${sid}`);
    expect(ended.statusCode).toBe(202);
    expect(ended.json()).toEqual({ id: 'jti', partition: 1, offset: 2 });
    expect((await get(`/v1/sessions/${sid}`)).json()).toMatchObject({ code: 'session_not_found', status: 404 });
  });

  test.each([
    ['without a subject', {}],
    ['with the realm as its subject', { subject: '*' }],
    ['with a subject that is too long', { subject: 'a'.repeat(257) }],
    ['with roles that are no list', { subject: 'alice', roles: 'admin' }],
    ['with a member that nobody knows', { subject: 'alice', rolez: [] }],
    ['with a version that is none', { subject: 'alice', asOfVersion: 'x' }],
    ['with a tier that nobody knows', { subject: 'alice', tier: 'gold' }],
    ['with an address that is none', { subject: 'alice', client: { ip: '300.0.0.1' } }],
    ['with half a place to come after', { subject: 'alice', after: { partition: 1 } }],
  ])('refuses a sign-in %s', async (_name, body) => {
    const reply = await post('/v1/sessions', body);
    expect(reply.headers['content-type']).toContain('application/problem+json');
    expect(reply.json()).toMatchObject({ status: 400, code: 'body_invalid' });
  });

  test('refuses a disabled account with 403, and a wrong refresh token with 401', async () => {
    lives.versions.held.set('u:bob', { current: 5, floor: 5, blocked: true });
    expect((await post('/v1/sessions', { subject: 'bob' })).json()).toMatchObject({
      status: 403,
      code: 'account_disabled',
    });
    const refused = await post('/v1/sessions/refresh', { refreshToken: 'no' });
    expect(refused.json()).toMatchObject({ status: 401, code: 'refresh_token_invalid' });
    expect((await post('/v1/sessions/refresh', {})).json()).toMatchObject({ status: 400, code: 'body_invalid' });
  });

  test('refuses a sign-in that an event overtook with 409, and one whose event is not applied with 504', async () => {
    const overtaken = await post('/v1/sessions', { subject: 'alice', asOfVersion: 3 });
    expect(overtaken.json()).toMatchObject({ status: 409, code: 'subject_changed' });
    const early = await post('/v1/sessions', { subject: 'alice', after: { partition: 1, offset: 9 } });
    expect(early.json()).toMatchObject({ status: 504, code: 'not_applied_yet' });
  });

  test('tells the version of an account, and of one that it never heard of', async () => {
    lives.versions.held.set('u:bob', { current: 7, floor: 5, blocked: true });
    expect((await get('/v1/subjects/bob/version')).json()).toEqual({
      subject: 'bob',
      current: 7,
      floor: 5,
      blocked: true,
    });
    expect((await get('/v1/subjects/eve/version')).json()).toMatchObject({
      current: 0,
      floor: 0,
      blocked: false,
    });
  });

  test('gives a cookie, and the header that sets it', async () => {
    const created = await post('/v1/sessions', { subject: 'alice', mode: 'cookie' });
    const { cookie, setCookie, ...rest } = created.json();
    expect(setCookie).toBe(`__Host-session=${cookie}; Path=/; Secure; HttpOnly; SameSite=Lax`);
    expect(rest).not.toHaveProperty('accessToken');
    const renewed = await post('/v1/sessions/refresh', { cookie });
    expect(renewed.json()).toMatchObject({ cookie });
    const lost = await post('/v1/sessions/refresh', { cookie: 'a'.repeat(43) });
    expect(lost.json()).toMatchObject({ status: 401, code: 'session_invalid' });
    expect(lost.headers).not.toHaveProperty('set-cookie');
  });

  test('takes one thing that shows a session, not two and not none', async () => {
    for (const body of [{}, { refreshToken: 'a', cookie: 'b' }])
      for (const url of ['/v1/sessions/refresh', '/v1/sessions/reauthenticate'])
        expect((await post(url, body)).json()).toMatchObject({ status: 400, code: 'body_invalid' });
  });

  test('lists the sessions of a subject, and ends all but one, or all', async () => {
    const [here, phone] = await Promise.all([
      post('/v1/sessions', { subject: 'alice', client: { device: 'laptop' } }),
      post('/v1/sessions', { subject: 'alice', client: { device: 'phone' } }),
    ]);
    const url = '/v1/subjects/alice/sessions';
    const devices = async () => (await get(url)).json().sessions.map((one: { device: string }) => one.device);
    expect((await devices()).sort()).toEqual(['laptop', 'phone']);
    const others = await ask('DELETE', `${url}?except=${here.json().sid}`);
    expect(others.statusCode).toBe(202);
    expect(await devices()).toEqual(['laptop']);
    expect(phone.statusCode).toBe(201);
    expect((await ask('DELETE', url)).statusCode).toBe(202);
    expect(await devices()).toEqual([]);
  });

  test('keeps small things of a user interface', async () => {
    const { sid } = (await post('/v1/sessions', { subject: 'alice' })).json();
    const patch = (ux: object) => ask('PATCH', `/v1/sessions/${sid}`, { ux });
    expect((await patch({ theme: 'dark' })).json()).toMatchObject({ sid, ux: { theme: 'dark' } });
    expect((await patch({ theme: 'x'.repeat(510) })).json()).toMatchObject({ code: 'session_record_too_large' });
    expect((await patch({ theme: 1 })).json()).toMatchObject({ code: 'body_invalid' });
  });

  test('ends sessions of whomever a subject identifier names', async () => {
    const sub_id = { format: 'complex', tenant: { format: 'opaque', id: 'acme' } };
    const revoked = await post('/v1/revocations', { sub_id, reason: 'breach' }, 'admin');
    expect(revoked.json()).toEqual({ id: 'jti', partition: 1, offset: 2 });
    expect(lives.end.mock.lastCall?.[0]).toEqual({ subjectId: sub_id, reason: 'breach', initiatingEntity: 'admin' });
    const unknown = await post('/v1/revocations', { sub_id: { format: 'phone' } }, 'admin');
    expect(unknown.json()).toMatchObject({ code: 'set_rejected', reason: 'subject_format_unknown' });
  });

  test('answers 503 with when to try again while Redis is away', async () => {
    lives.versions.read = async () => {
      throw new CurfewError('store_unavailable');
    };
    const reply = await post('/v1/sessions', { subject: 'alice' });
    expect(reply.json()).toMatchObject({ status: 503, code: 'store_unavailable' });
    expect(reply.headers['retry-after']).toBe('1');
  });

  test('lets a user end other sessions only when they have authenticated lately, and their own at any time', async () => {
    const [here, there] = await Promise.all([1, 2].map(() => post('/v1/sessions', { subject: 'alice' })));
    const headers = { authorization: `Bearer ${here?.json().accessToken}` };
    const end = async (url: string) => (await app.inject({ method: 'DELETE', url, headers })).json();
    sid = here?.json().sid;
    authenticatedAt = Date.now() - 15 * 60_000 - 1;
    const insufficient = { status: 401, code: 'insufficient_user_authentication' };
    expect(await end(`/v1/sessions/${there?.json().sid}`)).toMatchObject(insufficient);
    expect(await end('/v1/subjects/alice/sessions')).toMatchObject(insufficient);
    expect(lives.end).not.toHaveBeenCalled();
    expect(await end(`/v1/sessions/${sid}`)).toMatchObject({ id: 'jti' });
    authenticatedAt = Date.now();
    expect(await end(`/v1/sessions/${there?.json().sid}`)).toMatchObject({ id: 'jti' });
  });

  test('lets a user do with their own sessions what they let nobody else do', async () => {
    const [own, other] = await Promise.all(['alice', 'bob'].map((subject) => post('/v1/sessions', { subject })));
    const authorization = `Bearer ${own?.json().accessToken}`;
    const answers = async (sid: string, sub: string) => {
      const asked: [Method, string, object?][] = [
        ['GET', `/v1/sessions/${sid}`],
        ['PATCH', `/v1/sessions/${sid}`, { ux: { theme: 'dark' } }],
        ['DELETE', `/v1/sessions/${sid}`],
        ['GET', `/v1/subjects/${sub}/sessions`],
        ['DELETE', `/v1/subjects/${sub}/sessions`],
      ];
      const statuses = [];
      for (const [method, url, payload] of asked) {
        const reply = await app.inject({ method, url, headers: { authorization }, ...(payload && { payload }) });
        statuses.push(reply.statusCode);
      }
      return statuses;
    };
    expect(await answers(other?.json().sid, 'bob')).toEqual([403, 403, 403, 403, 403]);
    expect((await get(`/v1/sessions/${other?.json().sid}`)).json()).not.toHaveProperty('ux');
    expect(await answers(own?.json().sid, 'alice')).toEqual([200, 200, 202, 200, 202]);
  });

  test('keeps which client a session was made by, and tells services in the token', async () => {
    const { sid, accessToken } = (await post('/v1/sessions', { subject: 'alice' })).json();
    expect((await get(`/v1/sessions/${sid}`)).json()).toMatchObject({ clientId: 'login' });
    expect(decodeJwt(accessToken)).toMatchObject({ client_id: 'login' });
  });

  test('serves its keys and its description', async () => {
    expect((await app.inject('/.well-known/jwks.json')).json().keys).toHaveLength(1);
    expect(Object.keys((await app.inject('/openapi.json')).json().paths)).toContain('/v1/sessions/{sid}');
  });
});
