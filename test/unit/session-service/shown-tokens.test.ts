import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { signAccessToken } from '../../../services/session-service/src/sessions/access-token.ts';
import type { SignIn } from '../../../services/session-service/src/sessions/sign-ins.ts';
import { REUSE_GRACE_MS, sessionLives } from '../../support/session-lives.ts';

const START = 1_795_507_200_000;
const HOUR_MS = 3_600_000;

let lives: Awaited<ReturnType<typeof sessionLives>>;

beforeEach(async () => {
  lives = await sessionLives(START);
});

const alice = { subject: 'alice', tenant: 'acme', roles: ['admin'], tier: 'account', clientId: 'login' } as const;

async function bearer(members: Partial<SignIn> = {}) {
  const grant = await lives.signIns.create({ ...alice, mode: 'bearer', ...members });
  if (grant.mode !== 'bearer') throw new Error('not by tokens');
  return grant;
}

async function cookie() {
  const grant = await lives.signIns.create({ ...alice, mode: 'cookie' });
  if (grant.mode !== 'cookie') throw new Error('not by cookie');
  return grant;
}

async function refresh(refreshToken: string) {
  const grant = await lives.renewals.renew({ refreshToken });
  if (grant.mode !== 'bearer') throw new Error('not by tokens');
  return grant;
}

const introspect = (token: string) => lives.shownTokens.introspect(token);
const revoke = (token: string) => lives.shownTokens.revoke(token);
const endings = () => lives.end.mock.calls.map(([revocation]) => revocation);
const bump = (scope: 'u:alice' | 't:acme' | 'r', current: number, floor: number, rest: object = {}) =>
  lives.versions.held.set(scope, { current, floor, blocked: false, ...rest });

describe('an access token', () => {
  test('has the type and every claim that RFC 9068 requires of it', async () => {
    const { accessToken, session } = await bearer({ acr: 'urn:example:silver', amr: ['pwd', 'otp'] });
    expect(decodeProtectedHeader(accessToken)).toEqual({
      typ: 'at+jwt',
      alg: 'EdDSA',
      kid: lives.keys.signer.kid,
    });
    const claims = decodeJwt(accessToken);
    // Section 2.2, all of them required.
    expect(claims).toMatchObject({
      iss: 'https://issuer',
      exp: START / 1000 + 600,
      aud: 'shop',
      sub: 'alice',
      client_id: 'login',
      iat: START / 1000,
      jti: expect.stringMatching(/^[\w-]{36}$/),
    });
    // Section 2.2.1, what is known of the authentication, and 2.2.3.1, what the subject may do.
    expect(claims).toMatchObject({
      auth_time: START / 1000,
      acr: 'urn:example:silver',
      amr: ['pwd', 'otp'],
      roles: ['admin'],
    });
    expect(claims['sid']).toBe(session.sid);
    expect(decodeJwt((await bearer()).accessToken).jti).not.toBe(claims.jti);
  });

  test('expires while its session can still be renewed', async () => {
    const { session } = await bearer();
    const options = { keys: lives.keys, issuer: 'https://issuer', audience: 'shop', accessTtlMs: 600_000 };
    const { expiresAt } = await signAccessToken(options, { ...session, idleMs: 180_000 }, START);
    expect(expiresAt).toBe(START + 120_000);
  });

  test('that is renewed keeps the time of the authentication', async () => {
    const { refreshToken } = await bearer();
    lives.pass(600_000);
    const claims = decodeJwt((await refresh(refreshToken)).accessToken);
    expect([claims['auth_time'], claims.iat]).toEqual([START / 1000, START / 1000 + 600]);
  });
});

describe('what is shown, looked at', () => {
  test('is an access token: its claims', async () => {
    const { accessToken, session } = await bearer({ device: 'laptop' });
    expect(await introspect(accessToken)).toEqual({
      token_type: 'Bearer',
      iss: 'https://issuer',
      aud: 'shop',
      sub: 'alice',
      sid: session.sid,
      client_id: 'login',
      exp: START / 1000 + 600,
      iat: START / 1000,
      jti: expect.any(String),
      auth_time: START / 1000,
      tier: 'account',
      ten: 'acme',
      roles: ['admin'],
      ver: { s: 0, t: 0, r: 0, at: START - 100 },
    });
  });

  test('is a refresh token: its session, for no audience', async () => {
    const { refreshToken, session } = await bearer();
    const found = await introspect(refreshToken);
    expect(found).toMatchObject({ token_type: 'refresh_token', sid: session.sid, exp: (START + HOUR_MS) / 1000 });
    expect(found).not.toHaveProperty('aud');
  });

  test('is the id of a cookie: its session', async () => {
    const { id, session } = await cookie();
    expect(await introspect(id)).toMatchObject({ token_type: 'session_cookie', sid: session.sid, aud: 'shop' });
  });

  test('is judged by the versions of now: what must renew is not active, but for what renews it', async () => {
    const [tokens, inCookie] = [await bearer(), await cookie()];
    bump('u:alice', 80, 0);
    expect(await introspect(tokens.accessToken)).toBeUndefined();
    expect(await introspect(inCookie.id)).toBeUndefined();
    expect(await introspect(tokens.refreshToken)).toBeDefined();
    const renewed = await refresh(tokens.refreshToken);
    expect(await introspect(renewed.accessToken)).toBeDefined();
    expect(await introspect(tokens.accessToken)).toBeUndefined();
  });

  test.each(['u:alice', 't:acme', 'r'] as const)('is not active where %s ended its session', async (scope) => {
    const [tokens, inCookie] = [await bearer(), await cookie()];
    bump(scope, 80, 80);
    for (const token of [tokens.accessToken, tokens.refreshToken, inCookie.id])
      expect(await introspect(token)).toBeUndefined();
  });

  test('is not active where the session alone has ended, or its record is gone', async () => {
    const { accessToken, refreshToken, session } = await bearer();
    lives.versions.held.set(`s:${session.sid}`, { current: 80, floor: 80, blocked: false });
    expect([await introspect(accessToken), await introspect(refreshToken)]).toEqual([undefined, undefined]);
    lives.versions.held.clear();
    expect(await introspect(accessToken)).toBeDefined();
    lives.store.records.clear();
    expect([await introspect(accessToken), await introspect(refreshToken)]).toEqual([undefined, undefined]);
  });

  test('is no refresh token of before, once the grace is over', async () => {
    const first = await bearer();
    const second = await refresh(first.refreshToken);
    expect(await introspect(first.refreshToken)).toBeDefined();
    lives.pass(REUSE_GRACE_MS);
    expect(await introspect(first.refreshToken)).toBeUndefined();
    expect(await introspect(second.refreshToken)).toBeDefined();
    await refresh(second.refreshToken);
    expect(await introspect(first.refreshToken)).toBeUndefined();
  });

  test('is not active after it expired, each at its own time', async () => {
    const [tokens, inCookie] = [await bearer(), await cookie()];
    lives.pass(601_000);
    expect(await introspect(tokens.accessToken)).toBeUndefined();
    expect([await introspect(tokens.refreshToken), await introspect(inCookie.id)]).not.toContain(undefined);
    lives.pass(HOUR_MS);
    expect([await introspect(tokens.refreshToken), await introspect(inCookie.id)]).toEqual([undefined, undefined]);
  });

  test('cannot be judged while account events do not come, unless it has ended', async () => {
    const { accessToken } = await bearer();
    lives.clock.now += 2000;
    await expect(introspect(accessToken)).rejects.toMatchObject({ code: 'view_stale' });
    bump('u:alice', 80, 80);
    expect(await introspect(accessToken)).toBeUndefined();
  });

  test.each(['', 'garbage', 'a.b.c', 'x'.repeat(43), 'x'.repeat(100_000), '\0', 'laptop'])(
    'is nothing: %.50j',
    async (token) => {
      expect(await introspect(token)).toBeUndefined();
      await revoke(token);
      expect(lives.end).not.toHaveBeenCalled();
    },
  );

  test('is nothing where parts of tokens are swapped', async () => {
    const { accessToken, refreshToken, session } = await bearer();
    const whole = [accessToken, refreshToken, (await bearer({ subject: 'bob' })).accessToken];
    const parts = whole.map((token) => token.split('.'));
    for (const [header] of parts)
      for (const [, payload] of parts)
        for (const [, , signature] of parts) {
          const token = [header, payload, signature].join('.');
          expect((await introspect(token)) !== undefined, token).toBe(whole.includes(token));
        }
    expect(await introspect(session.sid)).toBeUndefined();
    expect(await introspect(`${accessToken}${accessToken}`)).toBeUndefined();
    expect(await introspect(accessToken.slice(0, -1))).toBeUndefined();
  });

  test('is nothing where an access token’s claims are signed as a refresh token’s, or the other way round', async () => {
    const { accessToken, refreshToken } = await bearer();
    const { privateKey, alg, kid } = lives.keys.signer;
    const sign = (token: string, typ: string) =>
      new SignJWT(decodeJwt(token)).setProtectedHeader({ alg, kid, typ }).sign(privateKey);
    expect(await introspect(await sign(accessToken, 'at+jwt'))).toBeDefined();
    expect(await introspect(await sign(accessToken, 'curfew-refresh+jwt'))).toBeUndefined();
    expect(await introspect(await sign(refreshToken, 'at+jwt'))).toBeUndefined();
    expect(await introspect(await sign(refreshToken, 'curfew-refresh+jwt'))).toBeUndefined();
  });
});

describe('what is revoked', () => {
  test.each(['accessToken', 'refreshToken'] as const)('by an %s is its session, by an account event', async (which) => {
    const grant = await bearer();
    await revoke(grant[which]);
    expect(endings()).toEqual([
      { subject: 'alice', session: grant.session.sid, reason: 'token-revoked', initiatingEntity: 'user' },
    ]);
    expect(lives.store.records.size).toBe(0);
    expect(lives.changes.at(-1)).toEqual({ change: 'ended', reason: 'token-revoked' });
  });

  test.each(['old', 'new'])('by a cookie’s %s id is its session, where another tab has renewed it', async (which) => {
    const { id, session } = await cookie();
    bump('u:alice', 80, 0);
    const renewed = await lives.renewals.renew({ cookie: id });
    await revoke(which === 'new' && renewed.mode === 'cookie' ? renewed.id : id);
    expect(endings()).toMatchObject([{ session: session.sid }]);
    expect(lives.store.records.size).toBe(0);
  });

  test('is nothing by an id that was renewed longer ago than the grace', async () => {
    const { id } = await cookie();
    bump('u:alice', 80, 0);
    await lives.renewals.renew({ cookie: id });
    lives.pass(REUSE_GRACE_MS);
    await revoke(id);
    expect(endings()).toEqual([]);
  });

  test('by an old refresh token too: whoever has it could only have it ended otherwise', async () => {
    const first = await bearer();
    await refresh((await refresh(first.refreshToken)).refreshToken);
    await revoke(first.refreshToken);
    expect(endings()).toMatchObject([{ session: first.session.sid, reason: 'token-revoked' }]);
  });

  test('is ended although Redis lost its record: its access tokens would be good for a while', async () => {
    const { accessToken, session } = await bearer();
    lives.store.records.clear();
    await revoke(accessToken);
    expect(endings()).toMatchObject([{ subject: 'alice', session: session.sid }]);
    lives.versions.held.set(`s:${session.sid}`, { current: 80, floor: 80, blocked: false });
    await revoke(accessToken);
    expect(endings()).toHaveLength(1);
  });

  test('is nothing by an access token that has expired', async () => {
    const { accessToken } = await bearer();
    lives.pass(601_000);
    await revoke(accessToken);
    expect(endings()).toEqual([]);
  });
});

describe('the user of an access token', () => {
  test('is told by the token while its session lives', async () => {
    const { accessToken, refreshToken, session } = await bearer();
    expect(await lives.shownTokens.userOf(accessToken)).toMatchObject({ subject: 'alice', sid: session.sid });
    expect(await lives.shownTokens.userOf(refreshToken)).toBeUndefined();
    bump('u:alice', 80, 0);
    await expect(lives.shownTokens.userOf(accessToken)).rejects.toMatchObject({ code: 'session_stale' });
    bump('u:alice', 80, 80);
    await expect(lives.shownTokens.userOf(accessToken)).rejects.toMatchObject({ code: 'session_revoked' });
    lives.pass(601_000);
    await expect(lives.shownTokens.userOf(accessToken)).rejects.toMatchObject({ code: 'session_expired' });
  });

  test('is nobody where the record of the session is gone', async () => {
    const { accessToken } = await bearer();
    lives.store.records.clear();
    await expect(lives.shownTokens.userOf(accessToken)).rejects.toMatchObject({ code: 'session_revoked' });
  });
});
