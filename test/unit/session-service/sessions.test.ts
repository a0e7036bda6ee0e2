import { type AccessTokenClaims, parseClaims } from '@curfew/contracts';
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Revocations } from '../../../services/session-service/src/sessions/revocations.ts';
import { Sessions } from '../../../services/session-service/src/sessions/sessions.ts';
import { readSigningKey, type SigningKey } from '../../../services/session-service/src/sessions/signing-key.ts';
import { MemorySessions, MemoryVersions } from '../../support/memory-stores.ts';

const HOUR_MS = 3_600_000;
const START = 1_795_507_200_000;

let now = START;
let key: SigningKey;
let versions: MemoryVersions;
let store: MemorySessions;
let sessions: Sessions;
const endSession = vi.fn<Revocations['endSession']>(async (_subject, _sid, decided) => {
  await decided();
  return { id: 'jti', partition: 1, offset: 2 };
});

beforeEach(async () => {
  now = START;
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  key = await readSigningKey(JSON.stringify(await exportJWK(privateKey)));
  versions = new MemoryVersions();
  versions.tick = START - 100;
  store = new MemorySessions();
  endSession.mockClear();
  sessions = new Sessions({
    versions,
    store,
    revocations: { endSession },
    tokens: { key, issuer: 'https://issuer', audience: 'shop', accessTtlMs: 600_000 },
    sessionTtlMs: 12 * HOUR_MS,
    maxViewAgeMs: 2000,
    maxClockSkewMs: 250,
    sleep: async (ms) => {
      now += ms;
    },
    now: () => now,
  });
});

const bump = (scope: 'u:alice' | 't:acme' | 'r', current: number, floor: number, rest: object = {}) =>
  versions.held.set(scope, { current, floor, blocked: false, ...rest });

async function claimsOf(token: string): Promise<AccessTokenClaims> {
  const options = { typ: 'at+jwt', issuer: 'https://issuer', audience: 'shop', currentDate: new Date(now) };
  const { payload } = await jwtVerify(token, createLocalJWKSet(key.jwks), options);
  const parsed = parseClaims(payload);
  if (!parsed.ok) throw new Error(parsed.detail);
  return parsed.value;
}

describe('a sign-in', () => {
  test('gives a token with the versions of now, by an id that nobody guesses', async () => {
    bump('u:alice', 70, 60);
    bump('t:acme', 50, 40);
    bump('r', 30, 20);
    const grant = await sessions.create({ subject: 'alice', tenant: 'acme', roles: ['admin'], device: 'laptop' });
    const claims = await claimsOf(grant.accessToken);
    expect(claims).toMatchObject({
      sub: 'alice',
      ten: 'acme',
      roles: ['admin'],
      dev: 'laptop',
      ver: { s: 70, t: 50, r: 30, at: START - 100 },
      sid: grant.session.sid,
    });
    expect(claims.exp - claims.iat).toBe(600);
    expect(grant.session.sid).toMatch(/^[\w-]{22}$/);
  });

  test('is refused while the account is disabled', async () => {
    bump('u:alice', 70, 70, { blocked: true });
    await expect(sessions.create({ subject: 'alice', roles: [] })).rejects.toMatchObject({ code: 'account_disabled' });
    expect(store.records.size).toBe(0);
  });

  test('obeys the bound: neither it nor a refresh is made by versions whose tick is older', async () => {
    const { refreshToken } = await sessions.create({ subject: 'alice', roles: [] });
    now = START - 100 + 2000 - 250;
    await sessions.create({ subject: 'alice', roles: [] });
    now += 1;
    await expect(sessions.create({ subject: 'alice', roles: [] })).rejects.toMatchObject({ code: 'view_stale' });
    await expect(sessions.refresh(refreshToken)).rejects.toMatchObject({ code: 'view_stale' });
  });

  test('whose credential was checked before a bump does not survive it', async () => {
    bump('u:alice', 70, 0);
    await sessions.create({ subject: 'alice', roles: [] }, { asOfVersion: 70 });
    bump('u:alice', 71, 71);
    const late = sessions.create({ subject: 'alice', roles: [] }, { asOfVersion: 70 });
    await expect(late).rejects.toMatchObject({ code: 'subject_changed' });
  });

  test('that comes after an event waits until it is applied, and not for ever', async () => {
    const position = vi.spyOn(versions, 'position');
    position.mockResolvedValueOnce(4).mockResolvedValueOnce(4).mockResolvedValueOnce(5);
    await sessions.create({ subject: 'alice', roles: [] }, { after: { partition: 3, offset: 5 } });
    expect(now).toBe(START + 10);
    const early = sessions.create({ subject: 'alice', roles: [] }, { after: { partition: 3, offset: 5 } });
    await expect(early).rejects.toMatchObject({ code: 'not_applied_yet' });
    expect(now).toBeLessThanOrEqual(START + 1100);
  });

  test('whose token no service would take is refused, and leaves nothing behind', async () => {
    const roles = Array.from({ length: 64 }, (_, i) => `${i}`.padEnd(200, 'x'));
    await expect(sessions.create({ subject: 'alice', roles })).rejects.toMatchObject({ code: 'body_invalid' });
    expect(store.records.size).toBe(0);
  });

  test('stores a hash of the refresh token, not the token', async () => {
    const { refreshToken, session } = await sessions.create({ subject: 'alice', roles: [] });
    const stored = JSON.stringify(store.records.get(session.sid));
    expect(stored).not.toContain(refreshToken.split('.')[1]);
  });
});

describe('a refresh', () => {
  test('gives the versions and the roles of now, and a new refresh token', async () => {
    const { refreshToken, session } = await sessions.create({ subject: 'alice', roles: ['admin'] });
    bump('u:alice', 80, 0, { claims: { json: '{"roles":["viewer"]}', since: 80 } });
    now += 60_000;
    versions.tick = now - 100;
    const renewed = await sessions.refresh(refreshToken);
    expect(await claimsOf(renewed.accessToken)).toMatchObject({
      roles: ['viewer'],
      ver: { s: 80, at: START + 59_900 },
      sid: session.sid,
    });
    expect(renewed.refreshToken).not.toBe(refreshToken);
    expect((await sessions.refresh(renewed.refreshToken)).session.roles).toEqual(['viewer']);
  });

  test('keeps the roles of a session that was signed in after the role change', async () => {
    bump('u:alice', 80, 0, { claims: { json: '{"roles":["viewer"]}', since: 80 } });
    const { refreshToken } = await sessions.create({ subject: 'alice', roles: ['owner'] });
    expect((await sessions.refresh(refreshToken)).session.roles).toEqual(['owner']);
  });

  test('takes on the roles of a change that came before a bump that spared it', async () => {
    const { refreshToken, session } = await sessions.create({ subject: 'alice', roles: ['admin'] });
    bump('u:alice', 90, 90, { claims: { json: '{"roles":["user",""]}', since: 80 } });
    await store.keep(session.sid, 'alice', 90, 0);
    expect((await sessions.refresh(refreshToken)).session.roles).toEqual(['user']);
  });

  test('is refused while the account is disabled', async () => {
    const { refreshToken } = await sessions.create({ subject: 'alice', roles: [] });
    bump('u:alice', 70, 0, { blocked: true });
    await expect(sessions.refresh(refreshToken)).rejects.toMatchObject({ code: 'account_disabled' });
  });

  test('takes each refresh token once', async () => {
    const { refreshToken } = await sessions.create({ subject: 'alice', roles: [] });
    await sessions.refresh(refreshToken);
    await expect(sessions.refresh(refreshToken)).rejects.toMatchObject({ code: 'refresh_token_invalid' });
  });

  test.each(['', 'x', 'a.b', `${'a'.repeat(22)}.${'b'.repeat(43)}`])('does not take %j', async (token) => {
    await expect(sessions.refresh(token)).rejects.toMatchObject({ code: 'refresh_token_invalid' });
  });

  test.each([
    ['its account', 'u:alice'],
    ['its tenant', 't:acme'],
    ['the realm', 'r'],
  ] as const)('is refused below the floor of %s', async (_name, scope) => {
    const { refreshToken } = await sessions.create({ subject: 'alice', tenant: 'acme', roles: [] });
    bump(scope, 80, 80);
    await expect(sessions.refresh(refreshToken)).rejects.toMatchObject({ code: 'session_revoked' });
  });

  test('is refused for a session that was ended by itself, though its record is still there', async () => {
    const { refreshToken, session } = await sessions.create({ subject: 'alice', roles: [] });
    versions.held.set(`s:${session.sid}`, { current: 1, floor: 1, blocked: false });
    await expect(sessions.refresh(refreshToken)).rejects.toMatchObject({ code: 'session_revoked' });
  });

  test('never makes a token that outlives its session', async () => {
    const { refreshToken, session } = await sessions.create({ subject: 'alice', roles: [] });
    now = session.expiresAt - 1000;
    versions.tick = now;
    expect((await sessions.refresh(refreshToken)).expiresAt).toBeLessThanOrEqual(session.expiresAt);
  });
});

describe('a session', () => {
  test('stands active, stale or revoked against the versions of now', async () => {
    const { session } = await sessions.create({ subject: 'alice', roles: [] });
    expect((await sessions.read(session.sid)).standing).toBe('active');
    bump('u:alice', 80, 0);
    expect((await sessions.read(session.sid)).standing).toBe('stale');
    bump('u:alice', 80, 80);
    expect((await sessions.read(session.sid)).standing).toBe('revoked');
  });

  test('ends by an account event, and its record goes once that is certain', async () => {
    const { session } = await sessions.create({ subject: 'alice', roles: [] });
    endSession.mockRejectedValueOnce(new Error('Redis is away'));
    await expect(sessions.end(session.sid)).rejects.toThrow('Redis is away');
    expect(store.records.has(session.sid)).toBe(true);
    expect(await sessions.end(session.sid)).toEqual({ id: 'jti', partition: 1, offset: 2 });
    expect(endSession.mock.lastCall?.slice(0, 2)).toEqual(['alice', session.sid]);
    expect(store.records.has(session.sid)).toBe(false);
  });

  test('that is unknown is not found', async () => {
    await expect(sessions.read('nobody')).rejects.toMatchObject({ code: 'session_not_found' });
    await expect(sessions.end('nobody')).rejects.toMatchObject({ code: 'session_not_found' });
  });
});

describe('the signing key', () => {
  test('is served without its private half', () => {
    expect(JSON.stringify(key.jwks)).not.toContain('"d"');
    expect(key.jwks.keys[0]).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', kid: key.kid, use: 'sig' });
  });

  test.each([
    '',
    '{}',
    'null',
    '{"kty":"OKP","crv":"Ed25519","x":"AAAA"}',
    '{"kty":"oct","k":"c2VjcmV0"}',
    '{"kty":"OKP","crv":"Ed25519","x":"AAAA","d":"AAAA"}',
  ])('is refused as %j, and never quoted', async (text) => {
    const refusal = readSigningKey(text);
    await expect(refusal).rejects.toMatchObject({ code: 'option_invalid' });
    await expect(refusal).rejects.not.toThrow('c2VjcmV0');
  });
});
