import { randomBytes } from 'node:crypto';
import { CurfewError, newSessionId, renewedSessionId, sidOf } from '@curfew/contracts';
import fc from 'fast-check';
import { decodeJwt, SignJWT } from 'jose';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { SignIn } from '../../../services/session-service/src/sessions/sign-ins.ts';
import { REUSE_GRACE_MS, sessionLives } from '../../support/session-lives.ts';

const START = 1_795_507_200_000;
const HOUR_MS = 3_600_000;

let lives: Awaited<ReturnType<typeof sessionLives>>;

beforeEach(async () => {
  lives = await sessionLives(START);
});

const alice: SignIn = { subject: 'alice', roles: ['user'], tier: 'account', mode: 'bearer' };

async function signIn(members: Partial<SignIn> = {}) {
  const grant = await lives.signIns.create({ ...alice, ...members });
  if (grant.mode !== 'bearer') throw new Error('not by tokens');
  return grant;
}

async function refresh(refreshToken: string) {
  const grant = await lives.renewals.renew({ refreshToken });
  if (grant.mode !== 'bearer') throw new Error('not by tokens');
  return grant;
}

const bump = (scope: 'u:alice' | 't:acme' | 'r', current: number, floor: number, rest: object = {}) =>
  lives.versions.held.set(scope, { current, floor, blocked: false, ...rest });

const endings = () => lives.end.mock.calls.map(([revocation]) => revocation);

describe('a refresh', () => {
  test('gives the versions and the roles of now, and a new refresh token', async () => {
    const { refreshToken, session } = await signIn({ roles: ['admin'] });
    bump('u:alice', 80, 0, { claims: { json: '{"roles":["viewer"]}', since: 80 } });
    lives.pass(60_000);
    const renewed = await refresh(refreshToken);
    expect(decodeJwt(renewed.accessToken)).toMatchObject({
      roles: ['viewer'],
      ver: { s: 80, at: START + 59_900 },
      sid: session.sid,
    });
    expect(renewed.refreshToken).not.toBe(refreshToken);
    expect((await refresh(renewed.refreshToken)).session.roles).toEqual(['viewer']);
  });

  test('keeps the roles of a session that was signed in after the role change', async () => {
    bump('u:alice', 80, 0, { claims: { json: '{"roles":["viewer"]}', since: 80 } });
    const { refreshToken } = await signIn({ roles: ['owner'] });
    expect((await refresh(refreshToken)).session.roles).toEqual(['owner']);
  });

  test('takes on the roles of a change that came before a bump that spared it', async () => {
    const { refreshToken, session } = await signIn({ roles: ['admin'] });
    bump('u:alice', 90, 90, { claims: { json: '{"roles":["user",""]}', since: 80 } });
    await lives.store.keep(session.sid, 'alice', 90, 0);
    expect((await refresh(refreshToken)).session.roles).toEqual(['user']);
  });

  test('is refused while the account is disabled', async () => {
    const { refreshToken } = await signIn();
    bump('u:alice', 70, 0, { blocked: true });
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'account_disabled' });
  });

  test.each([
    ['its account', 'u:alice'],
    ['its tenant', 't:acme'],
    ['the realm', 'r'],
  ] as const)('is refused below the floor of %s', async (_name, scope) => {
    const { refreshToken } = await signIn({ tenant: 'acme' });
    bump(scope, 80, 80);
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'session_revoked' });
  });

  test('is refused for a session that was ended by itself, though its record is still there', async () => {
    const { refreshToken, session } = await signIn();
    lives.versions.held.set(`s:${session.sid}`, { current: 1, floor: 1, blocked: false });
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'session_revoked' });
  });

  test('never makes a token that outlives its session, or the time that it may go unused', async () => {
    const { refreshToken, session } = await signIn({ tier: 'payment' });
    expect((await signIn({ tier: 'payment' })).expiresAt).toBe(START + 600_000);
    for (const at of [10, 20, 30, 40, 50]) {
      lives.clock.now = START + at * 60_000;
      lives.pass(0);
      await refresh(await lives.refreshTokens.issue({ sid: session.sid, generation: at / 10 - 1, subject: 'alice' }));
    }
    lives.clock.now = session.expiresAt - 1000;
    lives.pass(0);
    const last = await lives.refreshTokens.issue({ sid: session.sid, generation: 5, subject: 'alice' });
    expect((await refresh(last)).expiresAt).toBeLessThanOrEqual(session.expiresAt);
    expect(refreshToken).not.toBe(last);
  });

  test('is refused once the session was idle for too long, whatever its absolute end', async () => {
    const { refreshToken } = await signIn();
    lives.pass(HOUR_MS);
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'refresh_token_invalid' });
  });

  test('reads versions and exchanges at once: one round trip', async () => {
    const { refreshToken } = await signIn();
    const waiting: string[] = [];
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const { store, versions } = lives;
    const [exchange, read] = [store.exchange.bind(store), versions.read.bind(versions)];
    const held = async (what: string) => {
      waiting.push(what);
      await answered;
    };
    store.exchange = async (...told) => held('exchange').then(() => exchange(...told));
    versions.read = async (...told) => held('read').then(() => read(...told));
    const renewing = refresh(refreshToken);
    await vi.waitFor(() => expect(waiting).toEqual(['exchange', 'read']));
    answer();
    await renewing;
    expect(waiting).toHaveLength(2);
  });
});

describe('a refresh token', () => {
  test('that is exchanged again within the grace brings the same successor: a lost answer, or another tab', async () => {
    const { refreshToken } = await signIn();
    const first = await refresh(refreshToken);
    lives.pass(REUSE_GRACE_MS - 1);
    expect((await refresh(refreshToken)).refreshToken).toBe(first.refreshToken);
    expect(endings()).toEqual([]);
  });

  test('that is exchanged again after the grace ends its session, by an account event', async () => {
    const { refreshToken, session } = await signIn();
    const { refreshToken: successor } = await refresh(refreshToken);
    lives.pass(REUSE_GRACE_MS);
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'refresh_token_reused' });
    expect(endings()).toEqual([
      { subject: 'alice', session: session.sid, reason: 'refresh-reuse', initiatingEntity: 'policy' },
    ]);
    expect(lives.changes.map(({ change }) => change)).toContain('reuse-detected');
    await expect(refresh(successor)).rejects.toMatchObject({ code: 'refresh_token_invalid' });
  });

  test('two generations old ends its session, within the grace too', async () => {
    const { refreshToken } = await signIn();
    const second = await refresh(refreshToken);
    await refresh(second.refreshToken);
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'refresh_token_reused' });
  });

  test('that is reused ends its session though whoever found out died before it could tell', async () => {
    const { refreshToken } = await signIn();
    await refresh(refreshToken);
    lives.pass(REUSE_GRACE_MS);
    lives.end.mockRejectedValueOnce(new CurfewError('store_unavailable'));
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'refresh_token_reused' });
    expect(endings()).toHaveLength(1);
    lives.pass(6000);
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'refresh_token_reused' });
    expect(endings()).toHaveLength(2);
  });

  test('whose successor was never handed over is no theft later: the view was old, or Redis away', async () => {
    const { refreshToken } = await signIn();
    lives.versions.tick = START - 5000;
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'view_stale' });
    lives.pass(10 * REUSE_GRACE_MS);
    vi.spyOn(lives.versions, 'read').mockRejectedValueOnce(new CurfewError('store_unavailable'));
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'store_unavailable' });
    lives.pass(10 * REUSE_GRACE_MS);
    vi.spyOn(lives.store, 'renew').mockRejectedValueOnce(new CurfewError('session_record_too_large'));
    bump('u:alice', 80, 0);
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'session_record_too_large' });
    lives.pass(10 * REUSE_GRACE_MS);
    const { refreshToken: successor } = await refresh(refreshToken);
    await refresh(successor);
    expect(endings()).toEqual([]);
  });

  test.each(['this exchange', 'this exchange, and the one before it'])(
    'that was exchanged, which nobody was told, is no theft later: %s',
    async (which) => {
      const { refreshToken } = await signIn();
      const exchange = lives.store.exchange.bind(lives.store);
      const unanswered = vi.spyOn(lives.store, 'exchange').mockImplementation(async (...told) => {
        await exchange(...told);
        throw new CurfewError('store_unavailable');
      });
      for (const _ of which.split(','))
        await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'store_unavailable' });
      unanswered.mockImplementation(exchange);
      lives.pass(6 * REUSE_GRACE_MS);
      await refresh(refreshToken);
      expect(endings()).toEqual([]);
      lives.pass(REUSE_GRACE_MS);
      await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'refresh_token_reused' });
    },
  );

  test('that two tabs show in vain at the same time is as good as it was', async () => {
    const { refreshToken } = await signIn();
    lives.versions.tick = START - 5000;
    for (const { status } of await Promise.allSettled([refresh(refreshToken), refresh(refreshToken)]))
      expect(status).toBe('rejected');
    lives.pass(6 * REUSE_GRACE_MS);
    await refresh(refreshToken);
    expect(endings()).toEqual([]);
  });

  test('whose exchange was sent twice, and then failed, is as good as it was', async () => {
    const { refreshToken } = await signIn();
    const exchange = lives.store.exchange.bind(lives.store);
    vi.spyOn(lives.store, 'exchange').mockImplementationOnce(async (...told) => {
      await exchange(...told);
      return exchange(...told);
    });
    vi.spyOn(lives.versions, 'read').mockRejectedValueOnce(new CurfewError('store_unavailable'));
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'store_unavailable' });
    lives.pass(6 * REUSE_GRACE_MS);
    await refresh(refreshToken);
    expect(endings()).toEqual([]);
  });

  test('whose successor was delivered is good for no longer because a later exchange failed', async () => {
    const { refreshToken, session } = await signIn();
    await refresh(refreshToken);
    const until = (await lives.store.read(session.sid))?.predecessorUntil;
    vi.spyOn(lives.versions, 'read').mockRejectedValueOnce(new CurfewError('store_unavailable'));
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect((await lives.store.read(session.sid))?.predecessorUntil).toBe(until);
    lives.pass(REUSE_GRACE_MS);
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'refresh_token_reused' });
  });

  test.each([
    ['account', () => bump('u:alice', 80, 80)],
    ['session', (sid: string) => lives.versions.held.set(`s:${sid}`, { current: 1, floor: 1, blocked: false })],
  ])('of a revoked %s is revoked, however often it is shown, and nobody is told of a theft', async (_what, revoke) => {
    const { refreshToken, session } = await signIn();
    await refresh(refreshToken);
    revoke(session.sid);
    for (const ms of [0, REUSE_GRACE_MS, 1000, REUSE_GRACE_MS]) {
      lives.pass(ms);
      await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'session_revoked' });
    }
    expect(lives.changes.map(({ change }) => change)).not.toContain('reuse-detected');
    expect(endings()).toEqual([]);
  });

  test('that a thief shows while Redis gives no answer is none that may have been exchanged then', async () => {
    const { refreshToken } = await signIn();
    await refresh(refreshToken);
    lives.pass(30 * 60_000);
    vi.spyOn(lives.store, 'exchange').mockRejectedValueOnce(new CurfewError('store_unavailable'));
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'refresh_token_reused' });
  });

  test('whose successor another tab has got is good for no longer because this one failed', async () => {
    const { refreshToken, session } = await signIn();
    const { giveBack } = await lives.renewals.sessionOf({ refreshToken });
    await refresh(refreshToken);
    await giveBack();
    expect((await lives.store.read(session.sid))?.predecessorUntil).toBeLessThanOrEqual(START + REUSE_GRACE_MS);
  });

  test('of a session that is spared a moment later is as good as it was', async () => {
    const { refreshToken, session } = await signIn();
    bump('u:alice', 80, 80);
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'session_revoked' });
    await lives.store.keep(session.sid, 'alice', 80, 0);
    lives.pass(6 * REUSE_GRACE_MS);
    await refresh(refreshToken);
    expect(endings()).toEqual([]);
  });

  test('that Redis knows no more, as it lost writes, is proof enough of itself', async () => {
    const { refreshToken, session } = await signIn();
    const { refreshToken: second } = await refresh(refreshToken);
    const before = lives.store.records.get(session.sid);
    const { refreshToken: third } = await refresh(second);
    if (before) lives.store.records.set(session.sid, { ...before, generation: 0 });
    await refresh(third);
    expect(endings()).toEqual([]);
  });

  test('law: whoever shows whatever in whatever order, each generation is one text, and reuse ends all of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 9 }), fc.constantFrom(0, 1000, REUSE_GRACE_MS)), { maxLength: 20 }),
        async (steps) => {
          lives = await sessionLives(START);
          const texts = [(await signIn()).refreshToken];
          let until = 0;
          let reused = false;
          for (const [back, ms] of steps) {
            lives.pass(ms);
            const newest = texts.length - 1;
            const shown = Math.max(0, newest - back);
            const inTime = shown === newest || (shown === newest - 1 && lives.clock.now < until);
            const renewing = refresh(texts[shown] ?? '').then(({ refreshToken }) => refreshToken);
            if (reused || !inTime) {
              await expect(renewing).rejects.toMatchObject({
                code: reused ? 'refresh_token_invalid' : 'refresh_token_reused',
              });
              reused = true;
              continue;
            }
            const successor = await renewing;
            expect(successor).toBe(texts[shown + 1] ?? successor);
            if (shown === newest) {
              texts.push(successor);
              until = lives.clock.now + REUSE_GRACE_MS;
            }
          }
          expect(new Set(texts).size).toBe(texts.length);
        },
      ),
      { numRuns: 50 },
    );
  });

  test.each(['', 'x', 'a.b', 'a.b.c'])('is not %j, and the store is not asked', async (token) => {
    const exchange = vi.spyOn(lives.store, 'exchange');
    await expect(refresh(token)).rejects.toMatchObject({ code: 'refresh_token_invalid' });
    expect(exchange).not.toHaveBeenCalled();
  });

  test('is not one that somebody else made, or took to pieces', async () => {
    const { refreshToken, accessToken } = await signIn();
    const { refreshToken: bobs } = await signIn({ subject: 'bob' });
    const [header, payload, signature] = refreshToken.split('.');
    const [, bobsPayload, bobsSignature] = bobs.split('.');
    const unsigned = Buffer.from('{"alg":"none","typ":"curfew-refresh+jwt"}').toString('base64url');
    const made = await new SignJWT(decodeJwt(refreshToken))
      .setProtectedHeader({ alg: 'HS256', typ: 'curfew-refresh+jwt' })
      .sign(new Uint8Array(32));
    for (const token of [
      `${header}.${bobsPayload}.${signature}`,
      `${header}.${payload}.${bobsSignature}`,
      `${unsigned}.${payload}.`,
      `${refreshToken}${refreshToken}`,
      refreshToken.slice(0, -1),
      accessToken,
      made,
    ])
      await expect(refresh(token)).rejects.toMatchObject({ code: 'refresh_token_invalid' });
    expect(endings()).toEqual([]);
  });
});

describe('a session that a cookie carries', () => {
  async function signInByCookie() {
    const grant = await lives.signIns.create({ ...alice, mode: 'cookie' });
    if (grant.mode !== 'cookie') throw new Error('not by a cookie');
    return grant;
  }
  async function renew(cookie: string) {
    const grant = await lives.renewals.renew({ cookie });
    if (grant.mode !== 'cookie') throw new Error('not by a cookie');
    return grant;
  }
  const rolesChange = () => bump('u:alice', 80, 0, { claims: { json: '{"roles":["viewer"]}', since: 80 } });

  test('keeps its id as long as it has nothing to take on', async () => {
    const { id } = await signInByCookie();
    expect((await renew(id)).id).toBe(id);
  });

  test('gets a new id with new roles, and the old one is worth nothing', async () => {
    const { id, session } = await signInByCookie();
    rolesChange();
    const renewed = await renew(id);
    expect(renewed.id).not.toBe(id);
    const { sid, createdAt } = session;
    expect(renewed.session).toMatchObject({ sid, roles: ['viewer'], s: 80, createdAt });
    expect(await lives.sessions.ofSubject('alice')).toMatchObject([{ session: { sid }, standing: 'active' }]);
    expect(await lives.shownTokens.introspect(renewed.id)).toMatchObject({ sid });
    expect(await lives.shownTokens.introspect(id)).toBeUndefined();
    await expect(lives.signIns.reauthenticate({ cookie: id }, {})).rejects.toMatchObject({ code: 'session_invalid' });
  });

  test('gets the same new id for whoever shows the old one at the same time', async () => {
    const { id } = await signInByCookie();
    rolesChange();
    const renewed = await Promise.all(Array.from({ length: 10 }, () => renew(id)));
    expect(new Set(renewed.map((one) => one.id)).size).toBe(1);
    expect((await renew(id)).id).toBe(renewed[0]?.id);
    expect(await lives.sessions.ofSubject('alice')).toHaveLength(1);
  });

  test('gets the newest id for a tab that shows the one before it, and none once the grace is over', async () => {
    const { id } = await signInByCookie();
    rolesChange();
    const { id: second } = await renew(id);
    lives.pass(REUSE_GRACE_MS - 1);
    expect((await renew(id)).id).toBe(second);
    lives.pass(1);
    await expect(renew(id)).rejects.toMatchObject({ code: 'session_invalid' });
    bump('u:alice', 90, 0);
    const { id: third } = await renew(second);
    await expect(renew(id)).rejects.toMatchObject({ code: 'session_invalid' });
    expect((await renew(third)).id).toBe(third);
  });

  test('has one successor though the keys of two instances differ: whoever comes second takes the first one’s', async () => {
    const { id } = await signInByCookie();
    rolesChange();
    const { id: successor } = await renew(id);
    const withOtherKeys = (...before: string[]) =>
      vi.spyOn(lives.refreshTokens, 'successorsOf').mockReturnValue([renewedSessionId(id, randomBytes(16)), ...before]);
    withOtherKeys(successor);
    expect((await renew(id)).id).toBe(successor);
    withOtherKeys();
    await expect(renew(id)).rejects.toMatchObject({ code: 'session_invalid' });
    expect((await renew(successor)).id).toBe(successor);
  });

  test('stays ended by a log-out that came while it was renewed, and by one that comes after', async () => {
    const { id, session } = await signInByCookie();
    rolesChange();
    const renewInStore = lives.store.renew.bind(lives.store);
    vi.spyOn(lives.store, 'renew').mockImplementationOnce(async (...told) => {
      await lives.sessions.end(session.sid);
      return renewInStore(...told);
    });
    await expect(renew(id)).rejects.toMatchObject({ code: 'session_invalid' });
    expect(lives.store.records.size).toBe(0);
    const other = await signInByCookie();
    bump('u:alice', 90, 0);
    const renewed = await renew(other.id);
    await lives.sessions.end(other.session.sid);
    await expect(renew(renewed.id)).rejects.toMatchObject({ code: 'session_invalid' });
    expect(lives.store.records.size).toBe(0);
  });

  test('goes on after a bump that spares it, whenever its id was renewed', async () => {
    const { id, session } = await signInByCookie();
    rolesChange();
    const { id: second } = await renew(id);
    bump('u:alice', 90, 90);
    await lives.store.keep(session.sid, 'alice', 90, 80);
    expect((await renew(second)).id).toBe(second);
    bump('u:alice', 95, 90);
    const renewInStore = lives.store.renew.bind(lives.store);
    vi.spyOn(lives.store, 'renew').mockImplementationOnce(async (...told) => {
      bump('u:alice', 99, 99);
      await lives.store.keep(session.sid, 'alice', 99, 90);
      return renewInStore(...told);
    });
    const { id: third } = await renew(second);
    expect((await renew(third)).session).toMatchObject({ s: 99 });
  });

  test('is opened by no id that begins like its own, and says nothing of itself to one', async () => {
    const { id } = await signInByCookie();
    const other = renewedSessionId(id, randomBytes(16));
    for (const floor of [0, 80]) {
      bump('u:alice', 80, floor);
      await expect(renew(other)).rejects.toMatchObject({ code: 'session_invalid' });
    }
    bump('u:alice', 0, 0);
    expect(await lives.shownTokens.introspect(other)).toBeUndefined();
    await lives.shownTokens.revoke(other);
    expect(endings()).toEqual([]);
  });

  test('is not one that tokens carry, though somebody knew its id', async () => {
    const id = newSessionId();
    const { session } = await signIn();
    lives.store.records.set(sidOf(id), { ...session, sid: sidOf(id) });
    await expect(renew(id)).rejects.toMatchObject({ code: 'session_invalid' });
    expect(await lives.shownTokens.introspect(id)).toBeUndefined();
  });

  test('is not renewed below the floor', async () => {
    const { id } = await signInByCookie();
    bump('u:alice', 80, 80);
    await expect(renew(id)).rejects.toMatchObject({ code: 'session_revoked' });
  });
});
