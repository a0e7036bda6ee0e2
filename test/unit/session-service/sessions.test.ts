import { type AccessTokenClaims, CurfewError, parseClaims } from '@curfew/contracts';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { SignIn } from '../../../services/session-service/src/sessions/sign-ins.ts';
import { sessionLives } from '../../support/session-lives.ts';

const START = 1_795_507_200_000;
const MINUTE_MS = 60_000;

let lives: Awaited<ReturnType<typeof sessionLives>>;

beforeEach(async () => {
  lives = await sessionLives(START);
});

const alice: SignIn = { subject: 'alice', roles: ['user'], tier: 'account', mode: 'bearer' };

async function signIn(members: Partial<SignIn> = {}, order = {}) {
  const grant = await lives.signIns.create({ ...alice, ...members }, order);
  if (grant.mode !== 'bearer') throw new Error('not by tokens');
  return grant;
}

const bump = (scope: 'u:alice' | 't:acme' | 'r', current: number, floor: number, rest: object = {}) =>
  lives.versions.held.set(scope, { current, floor, blocked: false, ...rest });

async function claimsOf(token: string): Promise<AccessTokenClaims> {
  const currentDate = new Date(lives.clock.now);
  const options = { typ: 'at+jwt', issuer: 'https://issuer', audience: 'shop', currentDate };
  const { payload } = await jwtVerify(token, createLocalJWKSet(lives.keys.jwks), options);
  const parsed = parseClaims(payload);
  if (!parsed.ok) throw new Error(parsed.detail);
  return parsed.value;
}

describe('a sign-in', () => {
  test('gives a token with the versions of now, by an id that nobody guesses', async () => {
    bump('u:alice', 70, 60);
    bump('t:acme', 50, 40);
    bump('r', 30, 20);
    const grant = await signIn({ tenant: 'acme', roles: ['admin'], device: 'laptop', amr: ['pwd'], clientId: 'login' });
    const claims = await claimsOf(grant.accessToken);
    expect(claims).toMatchObject({
      sub: 'alice',
      ten: 'acme',
      roles: ['admin'],
      dev: 'laptop',
      amr: ['pwd'],
      client_id: 'login',
      tier: 'account',
      auth_time: START / 1000,
      ver: { s: 70, t: 50, r: 30, at: START - 100 },
      sid: grant.session.sid,
    });
    expect(claims.exp - claims.iat).toBe(600);
    expect(grant.session.sid).toMatch(/^[\w-]{22}$/);
    expect((await signIn()).session.sid).not.toBe(grant.session.sid);
  });

  test('is refused while the account is disabled', async () => {
    bump('u:alice', 70, 70, { blocked: true });
    await expect(signIn()).rejects.toMatchObject({ code: 'account_disabled' });
    expect(lives.store.records.size).toBe(0);
  });

  test('obeys the bound: neither it nor a refresh is made by versions whose tick is older', async () => {
    const { refreshToken } = await signIn();
    lives.clock.now = START - 100 + 2000 - 250;
    await signIn();
    lives.clock.now += 1;
    await expect(signIn()).rejects.toMatchObject({ code: 'view_stale' });
    await expect(lives.renewals.renew({ refreshToken })).rejects.toMatchObject({ code: 'view_stale' });
  });

  test('whose credential was checked before a bump does not survive it', async () => {
    bump('u:alice', 70, 0);
    await signIn({}, { asOfVersion: 70 });
    bump('u:alice', 71, 71);
    await expect(signIn({}, { asOfVersion: 70 })).rejects.toMatchObject({ code: 'subject_changed' });
  });

  test('that comes after an event waits until it is applied, and not for ever', async () => {
    const { positions } = lives.versions;
    positions.set(3, 4);
    const early = signIn({}, { after: { partition: 3, offset: 5 } });
    await expect(early).rejects.toMatchObject({ code: 'not_applied_yet' });
    expect(lives.clock.now).toBeLessThanOrEqual(START + 1100);
    lives.pass(0);
    positions.set(3, 5);
    await signIn({}, { after: { partition: 3, offset: 5 } });
  });

  test.each([
    ['browse', 24],
    ['account', 12],
    ['payment', 1],
  ] as const)('of the tier %s lasts %d hours at the most', async (tier, hours) => {
    const { session } = await signIn({ tier });
    expect(session.expiresAt).toBe(START + hours * 60 * MINUTE_MS);
  });

  test('gives a cookie where it asks for one, and stores no more of it than its hash', async () => {
    const grant = await lives.signIns.create({ ...alice, mode: 'cookie' });
    if (grant.mode !== 'cookie') throw new Error('not by a cookie');
    expect(grant.id).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify([...lives.store.records])).not.toContain(grant.id);
  });

  test('beyond the limit is refused, where that is the rule', async () => {
    lives = await sessionLives(START, { maxSessionsPerSubject: 2, limitRule: 'refuse' });
    await signIn();
    await signIn();
    await expect(signIn()).rejects.toMatchObject({ code: 'too_many_sessions' });
    await signIn({ subject: 'bob' });
    expect(lives.store.records.size).toBe(3);
  });

  test('beyond the limit ends the oldest by an account event, where that is the rule', async () => {
    lives = await sessionLives(START, { maxSessionsPerSubject: 2 });
    const oldest = await signIn();
    lives.pass(1000);
    await signIn();
    lives.pass(1000);
    await signIn();
    expect(lives.end.mock.calls.map(([revocation]) => revocation)).toEqual([
      { subject: 'alice', session: oldest.session.sid, reason: 'session-limit', initiatingEntity: 'policy' },
    ]);
    expect(await lives.sessions.ofSubject('alice')).toHaveLength(2);
  });
});

describe('a re-authentication', () => {
  test('gives a new id, and ends the old session by an account event', async () => {
    const old = await signIn({ device: 'laptop', tenant: 'acme', ux: { theme: 'dark' } });
    lives.pass(5 * MINUTE_MS);
    const change = { tier: 'payment', acr: 'urn:mfa' } as const;
    const grant = await lives.signIns.reauthenticate({ refreshToken: old.refreshToken }, change);
    if (grant.mode !== 'bearer') throw new Error('not by tokens');
    expect(grant.session.sid).not.toBe(old.session.sid);
    expect(grant.session).toMatchObject({ tenant: 'acme', device: 'laptop', ux: { theme: 'dark' }, tier: 'payment' });
    expect(await claimsOf(grant.accessToken)).toMatchObject({ auth_time: START / 1000 + 300, acr: 'urn:mfa' });
    expect(lives.end.mock.calls.map(([revocation]) => revocation)).toEqual([
      { subject: 'alice', session: old.session.sid, reason: 'reauthenticated', initiatingEntity: 'user' },
    ]);
    await expect(lives.sessions.read(old.session.sid)).rejects.toMatchObject({ code: 'session_not_found' });
  });

  test('keeps a session that is carried by a cookie one that is', async () => {
    const old = await lives.signIns.create({ ...alice, mode: 'cookie' });
    if (old.mode !== 'cookie') throw new Error('not by a cookie');
    const grant = await lives.signIns.reauthenticate({ cookie: old.id }, {});
    expect(grant).toMatchObject({ mode: 'cookie' });
    await expect(lives.renewals.renew({ cookie: old.id })).rejects.toMatchObject({ code: 'session_invalid' });
  });

  const rolesChange = () => bump('u:alice', 80, 0, { claims: { json: '{"roles":["viewer"]}', since: 80 } });

  test('takes on the roles of a change that the session has not seen, whichever way it is carried', async () => {
    const byCookie = await lives.signIns.create({ ...alice, roles: ['admin'], mode: 'cookie' });
    const { refreshToken } = await signIn({ roles: ['admin'] });
    rolesChange();
    for (const shown of [{ cookie: byCookie.mode === 'cookie' ? byCookie.id : '' }, { refreshToken }]) {
      const { session } = await lives.signIns.reauthenticate(shown, {});
      expect(session).toMatchObject({ roles: ['viewer'], rolesAt: 80, s: 80 });
    }
  });

  test('takes on the roles of a change that comes while it is made', async () => {
    const { refreshToken } = await signIn({ roles: ['admin'] });
    const sessionOf = lives.renewals.sessionOf.bind(lives.renewals);
    vi.spyOn(lives.renewals, 'sessionOf').mockImplementationOnce(async (...told) => {
      const shown = await sessionOf(...told);
      rolesChange();
      return shown;
    });
    expect((await lives.signIns.reauthenticate({ refreshToken }, {})).session.roles).toEqual(['viewer']);
  });

  test('has the roles that the identity system names, whatever came before', async () => {
    const { refreshToken } = await signIn({ roles: ['admin'] });
    rolesChange();
    const { session } = await lives.signIns.reauthenticate({ refreshToken }, { roles: ['owner'] });
    expect(session).toMatchObject({ roles: ['owner'], rolesAt: 80 });
  });

  test('is no better than the credential that was shown now', async () => {
    const { refreshToken } = await signIn({ acr: 'urn:mfa', amr: ['pwd', 'otp'] });
    const { session } = await lives.signIns.reauthenticate({ refreshToken }, { amr: ['pwd'] });
    expect(session).toMatchObject({ amr: ['pwd'] });
    expect(session.acr).toBeUndefined();
  });

  test('of somebody else than the session’s is refused, and the token stays as good as it was', async () => {
    const { refreshToken } = await signIn();
    const cookie = await lives.signIns.create({ ...alice, mode: 'cookie' });
    for (const shown of [{ refreshToken }, { cookie: cookie.mode === 'cookie' ? cookie.id : '' }])
      await expect(lives.signIns.reauthenticate(shown, { subject: 'mallory' })).rejects.toMatchObject({
        code: 'subject_mismatch',
      });
    lives.pass(MINUTE_MS);
    await lives.signIns.reauthenticate({ refreshToken }, { subject: 'alice' });
  });

  test.each([
    ['revoked', () => bump('u:alice', 80, 80)],
    ['logged out', (sid: string) => lives.versions.held.set(`s:${sid}`, { current: 1, floor: 1, blocked: false })],
  ])('makes no session of one that is %s meanwhile', async (_how, end) => {
    const { refreshToken } = await signIn();
    const sessionOf = lives.renewals.sessionOf.bind(lives.renewals);
    vi.spyOn(lives.renewals, 'sessionOf').mockImplementationOnce(async (...told) => {
      const shown = await sessionOf(...told);
      end(shown.session.sid);
      return shown;
    });
    await expect(lives.signIns.reauthenticate({ refreshToken }, {})).rejects.toMatchObject({ code: 'session_revoked' });
    expect(lives.store.records.size).toBe(1);
  });

  test('fails where the session was logged out, or re-authenticated, while it was made', async () => {
    const { refreshToken, session } = await signIn();
    const create = lives.store.create.bind(lives.store);
    vi.spyOn(lives.store, 'create').mockImplementationOnce(async (...told) => {
      await lives.sessions.end(session.sid);
      return create(...told);
    });
    await expect(lives.signIns.reauthenticate({ refreshToken }, {})).rejects.toMatchObject({ code: 'session_revoked' });
    expect(lives.store.records.size).toBe(0);
    const other = await lives.signIns.create({ ...alice, mode: 'cookie' });
    const shown = { cookie: other.mode === 'cookie' ? other.id : '' };
    const both = [lives.signIns.reauthenticate(shown, {}), lives.signIns.reauthenticate(shown, {})];
    expect((await Promise.allSettled(both)).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await lives.sessions.ofSubject('alice')).toHaveLength(1);
  });

  test('that fails leaves no session behind that nobody has', async () => {
    lives = await sessionLives(START, { maxSessionsPerSubject: 1, limitRule: 'refuse' });
    const { refreshToken } = await signIn();
    for (const _ of ['once', 'and again']) {
      lives.end.mockRejectedValueOnce(new CurfewError('store_unavailable'));
      vi.spyOn(lives.store, 'remove').mockRejectedValueOnce(new CurfewError('store_unavailable'));
      await expect(lives.signIns.reauthenticate({ refreshToken }, {})).rejects.toMatchObject({
        code: 'store_unavailable',
      });
      await vi.waitFor(() => expect(lives.store.records.size).toBe(1));
    }
    await lives.signIns.reauthenticate({ refreshToken }, {});
    expect(lives.store.records.size).toBe(1);
  });

  test('that fails uses nothing up: shown a minute later, the refresh token is no stolen one', async () => {
    const { refreshToken } = await signIn();
    const again = (order: object) => lives.signIns.reauthenticate({ refreshToken }, {}, order);
    await expect(again({ asOfVersion: 7 })).rejects.toMatchObject({ code: 'subject_changed' });
    lives.pass(MINUTE_MS);
    lives.end.mockRejectedValueOnce(new CurfewError('store_unavailable'));
    await expect(again({})).rejects.toMatchObject({ code: 'store_unavailable' });
    lives.pass(MINUTE_MS);
    await lives.renewals.renew({ refreshToken });
    expect(lives.changes.map(({ change }) => change)).not.toContain('reuse-detected');
  });

  test('is not refused at the limit, as it takes the place of a session', async () => {
    lives = await sessionLives(START, { maxSessionsPerSubject: 1, limitRule: 'refuse' });
    const { refreshToken } = await signIn();
    await lives.signIns.reauthenticate({ refreshToken }, {});
    expect(await lives.sessions.ofSubject('alice')).toHaveLength(1);
  });

  test.each([{ refreshToken: 'none' }, { cookie: 'none' }, { cookie: 'a'.repeat(43) }])(
    'by %j is refused',
    async (shown) => {
      await expect(lives.signIns.reauthenticate(shown, {})).rejects.toMatchObject({
        code: 'refreshToken' in shown ? 'refresh_token_invalid' : 'session_invalid',
      });
    },
  );
});

describe('a session', () => {
  test('stands active, stale or revoked against the versions of now', async () => {
    const { session } = await signIn();
    expect((await lives.sessions.read(session.sid)).standing).toBe('active');
    bump('u:alice', 80, 0);
    expect((await lives.sessions.read(session.sid)).standing).toBe('stale');
    bump('u:alice', 80, 80);
    expect((await lives.sessions.read(session.sid)).standing).toBe('revoked');
    expect(await lives.sessions.ofSubject('alice')).toEqual([]);
  });

  test('ends by an account event, and its record goes once that is certain', async () => {
    const { session } = await signIn();
    lives.end.mockRejectedValueOnce(new Error('Redis is away'));
    await expect(lives.sessions.end(session.sid)).rejects.toThrow('Redis is away');
    expect(lives.store.records.has(session.sid)).toBe(true);
    expect(await lives.sessions.end(session.sid)).toEqual({ id: 'jti', partition: 1, offset: 2 });
    expect(lives.end.mock.lastCall?.[0]).toMatchObject({ subject: 'alice', session: session.sid, reason: 'logout' });
    expect(lives.store.records.has(session.sid)).toBe(false);
  });

  test('ends with all others of its subject by one event, or is the one that goes on', async () => {
    const [here, phone] = [await signIn(), await signIn()];
    const bob = await signIn({ subject: 'bob' });
    await lives.sessions.endAll('alice', here.session.sid);
    expect(lives.end.mock.calls.map(([revocation]) => revocation)).toEqual([
      { subject: 'alice', exceptSession: here.session.sid, reason: 'logout-others', initiatingEntity: 'user' },
    ]);
    await expect(lives.sessions.read(phone.session.sid)).rejects.toMatchObject({ code: 'session_not_found' });
    await lives.sessions.read(here.session.sid);
    await lives.sessions.endAll('alice');
    expect(await lives.sessions.ofSubject('alice')).toEqual([]);
    await lives.sessions.read(bob.session.sid);
  });

  test("is not spared by somebody else's log-out", async () => {
    const bob = await signIn({ subject: 'bob' });
    await expect(lives.sessions.endAll('alice', bob.session.sid)).rejects.toMatchObject({ code: 'session_not_found' });
    expect(lives.end).not.toHaveBeenCalled();
  });

  test('that is unknown is not found', async () => {
    await expect(lives.sessions.read('nobody')).rejects.toMatchObject({ code: 'session_not_found' });
    await expect(lives.sessions.end('nobody')).rejects.toMatchObject({ code: 'session_not_found' });
  });

  test('keeps small things of a user interface, and no large ones', async () => {
    const { session } = await signIn();
    await lives.sessions.setUx(session.sid, { theme: 'dark' });
    expect((await lives.sessions.read(session.sid)).session.ux).toEqual({ theme: 'dark' });
    await expect(lives.sessions.setUx(session.sid, { theme: 'x'.repeat(512) })).rejects.toMatchObject({
      code: 'session_record_too_large',
    });
  });
});
