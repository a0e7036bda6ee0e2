import type { ScopeKey, VersionRecord } from '@curfew/contracts';
import { Replica, sessionVersions } from '@curfew/replica';
import { describe, expect, test } from 'vitest';

const HORIZON = 1_000_000;
const claims = {
  iss: 'i',
  sub: 'alice',
  aud: 'a',
  exp: 1,
  iat: 1,
  jti: 'j',
  sid: 'phone',
  ten: 'acme',
  ver: { s: 10, t: 10, r: 10, at: HORIZON + 1000 },
};

const record = (scope: ScopeKey, current: number, floor: number): VersionRecord => ({
  kind: 'version',
  scope,
  current,
  floor,
  at: HORIZON,
  why: 'caep/session-revoked',
  id: 'jti',
  offset: 1,
});

const replica = (options: { maxEntries?: number } = {}) =>
  new Replica({ partitions: 12, horizon: HORIZON, maxClockSkewMs: 250, now: () => HORIZON + 5000, ...options });

describe('check', () => {
  test('accepts a session that nothing has ended and that was minted after the horizon', () => {
    expect(replica().check(sessionVersions(claims))).toBe('active');
  });

  test.each<[ScopeKey]>([['u:alice'], ['t:acme'], ['r']])('ends a session below the floor of %s', (scope) => {
    const known = replica();
    known.apply(9, record(scope, 11, 11), HORIZON);
    expect(known.check(sessionVersions(claims))).toBe('revoked');
  });

  test.each<[ScopeKey]>([['u:alice'], ['t:acme'], ['r']])(
    'makes a session below the current version of %s renew',
    (scope) => {
      const known = replica();
      known.apply(9, record(scope, 11, 10), HORIZON);
      expect(known.check(sessionVersions(claims))).toBe('stale');
    },
  );

  test('a floor of one scope outweighs a mere renewal of another', () => {
    const known = replica();
    known.apply(9, record('r', 11, 0), HORIZON);
    known.apply(9, record('t:acme', 11, 11), HORIZON);
    expect(known.check(sessionVersions(claims))).toBe('revoked');
  });

  test("a session's own tombstone ends it, and no other session of the subject", () => {
    const known = replica();
    known.apply(9, record('s:phone', 1, 1), HORIZON);
    expect(known.check(sessionVersions(claims))).toBe('revoked');
    expect(known.check(sessionVersions({ ...claims, sid: 'laptop' }))).toBe('active');
  });

  test('a session minted with the new version is active again', () => {
    const known = replica();
    known.apply(9, record('u:alice', 11, 11), HORIZON);
    expect(known.check(sessionVersions({ ...claims, ver: { ...claims.ver, s: 11 } }))).toBe('active');
  });

  test('a session without a tenant is not measured by any tenant', () => {
    const known = replica();
    known.apply(9, record('t:acme', 11, 11), HORIZON);
    const { ten: _, ...untenanted } = claims;
    expect(known.check(sessionVersions(untenanted))).toBe('active');
  });
});

describe('the horizon', () => {
  test('leaves a session unprovable that was minted before it, or after it by no more than the skew', () => {
    const minted = (at: number) => sessionVersions({ ...claims, ver: { ...claims.ver, at } });
    expect(replica().check(minted(HORIZON - 1))).toBe('unprovable');
    expect(replica().check(minted(HORIZON + 250))).toBe('unprovable');
    expect(replica().check(minted(HORIZON + 251))).toBe('active');
  });

  test('rises to the announcement time of the entry that falls out, the oldest first', () => {
    const small = replica({ maxEntries: 2 });
    small.apply(0, record('u:a', 1, 1), HORIZON + 10);
    small.apply(0, record('u:b', 1, 1), HORIZON + 20);
    small.apply(0, record('u:a', 2, 2), HORIZON + 30);
    small.apply(0, record('u:c', 1, 1), HORIZON + 40);
    expect(small.horizon).toBe(HORIZON + 20);
    expect(small.entry('u:a')?.floor).toBe(2);
    expect(small.size).toBe(2);
  });

  test('a record that comes late does not make its entry young again', () => {
    const small = replica({ maxEntries: 2 });
    small.apply(0, record('u:a', 1, 1), HORIZON + 10);
    small.apply(0, record('u:b', 1, 1), HORIZON + 20);
    small.apply(0, record('u:a', 1, 1), HORIZON + 10);
    small.apply(0, record('u:c', 1, 1), HORIZON + 40);
    expect(small.entry('u:a')).toBeUndefined();
    expect(small.entry('u:b')).toBeDefined();
  });

  test('never falls', () => {
    const known = replica();
    known.raiseHorizon(HORIZON - 1);
    expect(known.horizon).toBe(HORIZON);
  });

  test('a read-through that re-dates the session makes it provable', () => {
    const old = sessionVersions({ ...claims, ver: { ...claims.ver, at: HORIZON - 1 } });
    old.at = HORIZON + 4000;
    expect(replica().check(old)).toBe('active');
  });
});

describe('a view', () => {
  test('is infinitely old before its first tick, then as old as its newest, each partition its own', () => {
    const known = replica();
    expect(known.viewAgeMs(3)).toBe(Number.POSITIVE_INFINITY);
    known.apply(3, { kind: 'tick', tick: HORIZON + 4000, offset: 1 }, HORIZON + 4001);
    known.apply(3, { kind: 'tick', tick: HORIZON + 3000, offset: 0 }, HORIZON + 4002);
    expect(known.viewAgeMs(3)).toBe(1000);
    expect(known.viewAgeMs(4)).toBe(Number.POSITIVE_INFINITY);
  });
});
