import type { ScopeKey } from '@curfew/contracts';
import type { Verdict } from '@curfew/replica';
import { beforeEach, describe, expect, test } from 'vitest';
import { Authenticator } from '../../../libs/sidecar/src/authenticator.ts';
import { clockOf } from '../../../libs/sidecar/src/clock.ts';
import type { StoredVersions } from '../../../libs/sidecar/src/read-through.ts';
import { createTokenCheck } from '../../../libs/sidecar/src/token-check.ts';
import { AUDIENCE, CLAIMS, createIssuer, ISSUER, NOW } from './issuer.ts';
import { BOUND, readThroughOf } from './store.ts';

const issuer = await createIssuer();
const token = await issuer.sign();

let now: number;
let verdict: Verdict;
let checks: number;
let verifications: number;
let accepts: [ScopeKey, number][];

beforeEach(() => {
  now = NOW;
  verdict = 'active';
  checks = 0;
  verifications = 0;
  accepts = [];
});

function authenticator(read?: () => Promise<StoredVersions>, tokenCacheSize = 100) {
  const settings = { issuer: ISSUER, audience: AUDIENCE, maxClockSkewMs: 250, now: () => now };
  const checkToken = createTokenCheck(settings, issuer.keys);
  return new Authenticator({
    checkToken: (text) => {
      verifications++;
      return checkToken(text);
    },
    checkAt: () => {
      checks++;
      return verdict;
    },
    readThrough: read && readThroughOf({ read, now: settings.now }),
    acceptances: {
      add: ({ subject }, elapsed) => {
        accepts.push([subject.scope, elapsed]);
      },
      takeBack: () => {},
    },
    tokenCacheSize,
    clock: clockOf(settings.now),
  });
}

const accepted = (source = 'memory') => ({
  ok: true,
  session: { subject: 'alice', sid: 'laptop', provable: source !== 'policy', source },
});

describe('a token', () => {
  test('is accepted with who it is for, and what the issuer says of them', async () => {
    const answer = await authenticator().authenticate(token, 'strict', BOUND);
    expect(answer).toMatchObject({
      ok: true,
      session: { subject: 'alice', sid: 'laptop', roles: ['admin'], claims: CLAIMS, provable: true },
    });
  });

  test('gives a session that no request can change for the next one', async () => {
    const answer = await authenticator().authenticate(token, 'strict', BOUND);
    if (!answer.ok) throw new Error(answer.code);
    for (const shared of [answer.session, answer.session.claims, answer.session.claims.ver, answer.session.roles])
      expect(Object.isFrozen(shared)).toBe(true);
  });

  test('is verified once, then answered at once and by the same value', async () => {
    const all = authenticator();
    const first = await all.authenticate(token, 'strict', BOUND);
    const second = all.authenticate(token, 'strict', BOUND);
    expect(second).not.toBeInstanceOf(Promise);
    expect(second).toBe(first);
    expect(verifications).toBe(1);
    expect(all.counts).toMatchObject({ memory: { active: 2 }, tokenHits: 1, tokenMisses: 1 });
  });

  test('is remembered each time that it is accepted, whatever accepts it, and no other time', async () => {
    const byStore = authenticator(async () => stored());
    await byStore.authenticate(token, 'strict', BOUND);
    now += 1;
    byStore.authenticate(token, 'strict', BOUND);
    verdict = 'unprovable';
    now += 1;
    await byStore.authenticate(token, 'strict', BOUND);
    const byNothing = authenticator();
    await byNothing.authenticate(token, 'lenient', BOUND);
    const all = [NOW, NOW + 1, NOW + 2, NOW + 2].map((at) => ['u:alice', at]);
    expect(accepts).toEqual(all);
    await byNothing.authenticate(token, 'strict', BOUND);
    verdict = 'stale';
    await byNothing.authenticate(token, 'lenient', BOUND);
    await byNothing.authenticate('no token', 'lenient', BOUND);
    expect(accepts).toEqual(all);
  });

  test('that is cached still has its versions checked on every request', async () => {
    const all = authenticator();
    await all.authenticate(token, 'strict', BOUND);
    for (const [next, code] of [
      ['revoked', 'session_revoked'],
      ['stale', 'session_stale'],
    ] as const) {
      verdict = next;
      expect(all.authenticate(token, 'strict', BOUND)).toEqual({ ok: false, code, source: 'memory' });
      expect(all.authenticate(token, 'lenient', BOUND)).toEqual({ ok: false, code, source: 'memory' });
    }
    expect(checks).toBe(5);
    expect(verifications).toBe(1);
  });

  test('is not answered from the cache from its own expiry on', async () => {
    const all = authenticator();
    await all.authenticate(token, 'strict', BOUND);
    now = CLAIMS.exp * 1000 - 1;
    expect(all.authenticate(token, 'strict', BOUND)).toMatchObject(accepted());
    now = CLAIMS.exp * 1000;
    expect(await all.authenticate(token, 'strict', BOUND)).toMatchObject(accepted());
    expect(verifications).toBe(2);
    now = CLAIMS.exp * 1000 + 250;
    expect(await all.authenticate(token, 'strict', BOUND)).toEqual({
      ok: false,
      code: 'session_expired',
      source: 'token',
    });
    expect(all.counts.token.expired).toBe(1);
  });

  test('that is refused is not cached, and not checked any further', async () => {
    const all = authenticator();
    for (let i = 0; i < 2; i++)
      expect(await all.authenticate('no token', 'lenient', BOUND)).toEqual({
        ok: false,
        code: 'session_invalid',
        source: 'token',
      });
    expect(verifications).toBe(2);
    expect(checks).toBe(0);
    expect(all.counts.token.invalid).toBe(2);
  });

  test('falls out of a full cache, the one used longest ago first', async () => {
    const all = authenticator(undefined, 2);
    const others = await Promise.all([issuer.sign({ jti: '2' }), issuer.sign({ jti: '3' })]);
    await all.authenticate(token, 'strict', BOUND);
    await all.authenticate(others[0] ?? '', 'strict', BOUND);
    all.authenticate(token, 'strict', BOUND);
    await all.authenticate(others[1] ?? '', 'strict', BOUND);
    expect(all.authenticate(token, 'strict', BOUND)).not.toBeInstanceOf(Promise);
    expect(all.authenticate(others[0] ?? '', 'strict', BOUND)).toBeInstanceOf(Promise);
  });
});

describe('a session that cannot be proven', () => {
  beforeEach(() => {
    verdict = 'unprovable';
  });

  test('is refused with 503 view_stale on a strict route, where there is no store', async () => {
    expect(await authenticator().authenticate(token, 'strict', BOUND)).toEqual({
      ok: false,
      code: 'view_stale',
      source: 'policy',
    });
  });

  test('is accepted on a lenient route, marked and counted', async () => {
    const all = authenticator();
    expect(await all.authenticate(token, 'lenient', BOUND)).toMatchObject(accepted('policy'));
    expect(all.counts).toMatchObject({ memory: { active: 0 }, policy: { unproven: 1 } });
  });

  test('is accepted when the store has no later version', async () => {
    const all = authenticator(async () => stored());
    expect(await all.authenticate(token, 'strict', BOUND)).toMatchObject(accepted('store'));
    expect(all.counts.store.active).toBe(1);
  });

  test('is refused when the store has a later version', async () => {
    const ended = authenticator(async () => stored({ subject: { current: 11, floor: 11 } }));
    expect(await ended.authenticate(token, 'lenient', BOUND)).toEqual({
      ok: false,
      code: 'session_revoked',
      source: 'store',
    });
    const stale = authenticator(async () => stored({ realm: { current: 11, floor: 0 } }));
    expect(await stale.authenticate(token, 'lenient', BOUND)).toEqual({
      ok: false,
      code: 'session_stale',
      source: 'store',
    });
  });

  test('is left to the policy of the route when the store does not answer', async () => {
    const all = authenticator(async () => {
      throw new Error('away');
    });
    expect(await all.authenticate(token, 'strict', BOUND)).toEqual({ ok: false, code: 'view_stale', source: 'policy' });
    expect(await all.authenticate(token, 'lenient', BOUND)).toMatchObject(accepted('policy'));
  });

  test.each([
    ['revoked', 'session_revoked'],
    ['stale', 'session_stale'],
  ] as const)('is refused when a bump that makes it %s is applied while the store answers', async (evidence, code) => {
    const all = authenticator(async () => {
      verdict = evidence;
      return stored();
    });
    expect(await all.authenticate(token, 'strict', BOUND)).toEqual({ ok: false, code, source: 'memory' });
  });

  test('is accepted by memory when its views get young while the store does not answer', async () => {
    const all = authenticator(async () => {
      verdict = 'active';
      throw new Error('away');
    });
    expect(await all.authenticate(token, 'strict', BOUND)).toMatchObject(accepted('memory'));
  });

  test('is refused as revoked by the store, though the replica knows it as stale only', async () => {
    const all = authenticator(async () => {
      verdict = 'stale';
      return stored({ sessionEnded: true });
    });
    expect(await all.authenticate(token, 'strict', BOUND)).toEqual({
      ok: false,
      code: 'session_revoked',
      source: 'store',
    });
  });
});

const stored = (versions: Partial<StoredVersions> = {}): StoredVersions => ({
  subject: { current: 10, floor: 0 },
  tenant: { current: 0, floor: 0 },
  realm: { current: 10, floor: 0 },
  sessionEnded: false,
  tick: NOW,
  ...versions,
});
