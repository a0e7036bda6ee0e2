import { CurfewError } from '@curfew/contracts';
import { beforeEach, describe, expect, test } from 'vitest';
import { authorizationOf } from '../../../infra/local/clients.mjs';
import { buildApp } from '../../../services/session-service/src/app.ts';
import { accessOf } from '../../support/access.ts';
import { sessionLives } from '../../support/session-lives.ts';

let lives: Awaited<ReturnType<typeof sessionLives>>;
let app: Awaited<ReturnType<typeof buildApp>>;

beforeEach(async () => {
  lives = await sessionLives(Date.now());
  const access = accessOf({ verifyAccessToken: (token) => lives.shownTokens.userOf(token) });
  app = await buildApp({ ...lives, access, revocations: { end: lives.end }, notReady: () => [], logLevel: 'silent' });
});

const FORM = 'application/x-www-form-urlencoded';
const post = (url: string, form: Record<string, string> | string, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': FORM, ...headers },
    payload: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
  });
const asLogin = { authorization: authorizationOf('login') };
const introspect = (form: Record<string, string> | string, headers = asLogin) =>
  post('/oauth/introspect', form, headers);

async function signIn() {
  const alice = { subject: 'alice', roles: ['admin'], amr: ['pwd'], tier: 'account', mode: 'bearer' } as const;
  const grant = await lives.signIns.create({ ...alice, clientId: 'login' });
  if (grant.mode !== 'bearer') throw new Error('not by tokens');
  return grant;
}

describe('introspection', () => {
  test('tells a client what is known of a token, for nobody to keep', async () => {
    const { accessToken, session } = await signIn();
    const answer = await introspect({ token: accessToken, token_type_hint: 'refresh_token' });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.json()).toEqual({
      active: true,
      token_type: 'Bearer',
      sub: 'alice',
      sid: session.sid,
      client_id: 'login',
      iss: 'https://issuer',
      aud: 'shop',
      exp: expect.any(Number),
      iat: expect.any(Number),
      jti: expect.any(String),
      auth_time: session.authenticatedAt / 1000,
      amr: ['pwd'],
      tier: 'account',
      roles: ['admin'],
      ver: { s: 0, t: 0, r: 0, at: session.at },
    });
  });

  test('says nothing of a token that is not good, not even why', async () => {
    const { accessToken } = await signIn();
    lives.store.records.clear();
    for (const token of [accessToken, 'garbage', 'x'.repeat(43), 'x'.repeat(60_000)])
      expect((await introspect({ token })).json()).toEqual({ active: false });
  });

  test('wants a client with the scope, and says what is wrong in words of OAuth too', async () => {
    const { accessToken: token } = await signIn();
    const of = async (headers: Record<string, string>) => (await post('/oauth/introspect', { token }, headers)).json();
    expect(await of({})).toMatchObject({ status: 401, code: 'client_unauthenticated', error: 'invalid_client' });
    expect(await of({ authorization: authorizationOf('identity') })).toMatchObject({
      status: 403,
      code: 'scope_insufficient',
      error: 'insufficient_scope',
    });
    expect(await of({ authorization: `Bearer ${token}` })).toMatchObject({ status: 401, error: 'invalid_client' });
  });

  test.each([
    ['no token', '', 'body_invalid'],
    ['an empty token', 'token=', 'body_invalid'],
    ['two tokens', 'token=a&token=b', 'body_invalid'],
    ['too much', `token=${'a'.repeat(70_000)}`, 'body_too_large'],
  ])('refuses a form with %s', async (_name, form, code) => {
    const answer = await introspect(form);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ code, error: 'invalid_request' });
    expect(answer.json().error_description).toMatch(/^[ !#-[\]-~]+$/);
  });

  test('takes forms alone', async () => {
    const answer = await introspect('{"token":"a"}', {
      ...asLogin,
      'content-type': 'application/json',
    } as typeof asLogin);
    expect(answer.json()).toMatchObject({ status: 415, code: 'media_type_unsupported', error: 'invalid_request' });
  });

  test('answers 503 while it cannot be known', async () => {
    const { accessToken: token } = await signIn();
    lives.versions.tick = 1;
    expect((await introspect({ token })).json()).toMatchObject({
      code: 'view_stale',
      error: 'temporarily_unavailable',
    });
  });
});

describe('revocation', () => {
  test('ends the session of a token, and says the same of every other text', async () => {
    const { refreshToken: token, accessToken } = await signIn();
    for (const shown of [token, token, accessToken.slice(1), 'garbage']) {
      const answer = await post('/oauth/revoke', { token: shown });
      expect([answer.statusCode, answer.json()]).toEqual([200, {}]);
      expect(answer.headers['cache-control']).toBe('no-store');
    }
    expect(lives.store.records.size).toBe(0);
    expect((await introspect({ token })).json()).toEqual({ active: false });
  });

  test('answers 503 while the store is away: the token may still be good', async () => {
    const { refreshToken: token } = await signIn();
    lives.store.read = async () => {
      throw new CurfewError('store_unavailable');
    };
    const answer = await post('/oauth/revoke', { token });
    expect(answer.json()).toMatchObject({ status: 503, code: 'store_unavailable', error: 'temporarily_unavailable' });
    expect(answer.headers['retry-after']).toBe('1');
  });
});

describe('users', () => {
  test('list and end their own sessions by their own token, until their session ends', async () => {
    const { accessToken, session } = await signIn();
    const headers = { authorization: `Bearer ${accessToken}` };
    const list = (sub: string) => app.inject({ url: `/v1/subjects/${sub}/sessions`, headers });
    expect((await list('alice')).json().sessions).toHaveLength(1);
    expect((await list('bob')).json()).toMatchObject({ status: 403, code: 'scope_insufficient' });
    await app.inject({ method: 'DELETE', url: `/v1/sessions/${session.sid}`, headers });
    expect((await list('alice')).json()).toMatchObject({ status: 401, code: 'session_revoked' });
  });
});
