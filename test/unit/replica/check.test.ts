import { partitionOf, type ScopeKey, type VersionRecord } from '@curfew/contracts';
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

const NOW = HORIZON + 5000;
const BOUND = 2000;
const PARTITIONS = 12;

/** Its views are as young as they can be. */
function replica(options: { maxEntries?: number } = {}): Replica {
  const made = new Replica({
    partitions: PARTITIONS,
    horizon: HORIZON,
    maxClockSkewMs: 250,
    now: () => NOW,
    ...options,
  });
  for (let partition = 0; partition < PARTITIONS; partition++) tick(made, partition, NOW);
  return made;
}
const tick = (of: Replica, partition: number, at: number) =>
  of.apply(partition, { kind: 'tick', tick: at, offset: 0 }, NOW);

describe('check', () => {
  test('accepts a session that nothing has ended and that was minted after the horizon', () => {
    expect(replica().check(sessionVersions(claims), BOUND)).toBe('active');
  });

  test.each<[ScopeKey]>([['u:alice'], ['t:acme'], ['r']])('ends a session below the floor of %s', (scope) => {
    const known = replica();
    known.apply(9, record(scope, 11, 11), HORIZON);
    expect(known.check(sessionVersions(claims), BOUND)).toBe('revoked');
  });

  test.each<[ScopeKey]>([['u:alice'], ['t:acme'], ['r']])(
    'makes a session below the current version of %s renew',
    (scope) => {
      const known = replica();
      known.apply(9, record(scope, 11, 10), HORIZON);
      expect(known.check(sessionVersions(claims), BOUND)).toBe('stale');
    },
  );

  test('a floor of one scope outweighs a mere renewal of another', () => {
    const known = replica();
    known.apply(9, record('r', 11, 0), HORIZON);
    known.apply(9, record('t:acme', 11, 11), HORIZON);
    expect(known.check(sessionVersions(claims), BOUND)).toBe('revoked');
  });

  test("a session's own tombstone ends it, and no other session of the subject", () => {
    const known = replica();
    known.apply(9, record('s:phone', 1, 1), HORIZON);
    expect(known.check(sessionVersions(claims), BOUND)).toBe('revoked');
    expect(known.check(sessionVersions({ ...claims, sid: 'laptop' }), BOUND)).toBe('active');
  });

  test('forgets what is older than its window: Redis forgets it too, and mints by what it has then', () => {
    let now = HORIZON + 5000;
    const aging = new Replica({ partitions: PARTITIONS, horizon: HORIZON, windowMs: 60_000, now: () => now });
    aging.apply(9, record('u:alice', 50, 50), now);
    aging.apply(9, record('r', 50, 50), now);
    const session = () => sessionVersions({ ...claims, ver: { s: 0, t: 0, r: 0, at: now - 100 } });
    now += 59_000;
    for (let partition = 0; partition < PARTITIONS; partition++) tick(aging, partition, now);
    expect(aging.check(session(), BOUND)).toBe('revoked');
    now += 2000;
    for (let partition = 0; partition < PARTITIONS; partition++) tick(aging, partition, now);
    expect(aging.check(session(), BOUND)).toBe('active');
    expect(aging.horizon).toBe(HORIZON + 5000);
  });

  test('a session minted with the new version is active again', () => {
    const known = replica();
    known.apply(9, record('u:alice', 11, 11), HORIZON);
    expect(known.check(sessionVersions({ ...claims, ver: { ...claims.ver, s: 11 } }), BOUND)).toBe('active');
  });

  test('a session without a tenant is not measured by any tenant', () => {
    const known = replica();
    known.apply(9, record('t:acme', 11, 11), HORIZON);
    const { ten: _, ...untenanted } = claims;
    expect(known.check(sessionVersions(untenanted), BOUND)).toBe('active');
  });
});

describe('the horizon', () => {
  test('leaves a session unprovable that was minted before it, or after it by no more than the skew', () => {
    const minted = (at: number) => sessionVersions({ ...claims, ver: { ...claims.ver, at } });
    expect(replica().check(minted(HORIZON - 1), BOUND)).toBe('unprovable');
    expect(replica().check(minted(HORIZON + 250), BOUND)).toBe('unprovable');
    expect(replica().check(minted(HORIZON + 251), BOUND)).toBe('active');
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
    expect(replica().check(old, BOUND)).toBe('active');
  });
});

describe('a view', () => {
  const HERE = partitionOf('alice', PARTITIONS);
  const young = (partitions: readonly number[]): Replica => {
    const made = new Replica({ partitions: PARTITIONS, horizon: HORIZON, maxClockSkewMs: 250, now: () => NOW });
    for (const partition of partitions) tick(made, partition, NOW);
    return made;
  };

  test('is infinitely old before its first tick, then as old as its newest and the skew, each partition its own', () => {
    const known = young([]);
    expect([known.viewAgeMs(3), known.newestTick(3)]).toEqual([Number.POSITIVE_INFINITY, 0]);
    tick(known, 3, NOW - 1000);
    tick(known, 3, NOW - 2000);
    expect([known.viewAgeMs(3), known.newestTick(3)]).toEqual([1250, NOW - 1000]);
    expect(known.viewAgeMs(4)).toBe(Number.POSITIVE_INFINITY);
  });

  test('accepts up to the bound, the skew included, and not a millisecond more', () => {
    const known = replica();
    const old = young([partitionOf('acme', PARTITIONS), partitionOf('*', PARTITIONS)]);
    tick(old, HERE, NOW - 1750);
    expect(old.check(sessionVersions(claims), BOUND)).toBe('active');
    expect(old.check(sessionVersions(claims), BOUND - 1)).toBe('unprovable');
    expect(known.check(sessionVersions(claims), 250)).toBe('active');
    expect(known.check(sessionVersions(claims), 249)).toBe('unprovable');
  });

  test.each([
    ['subject', 'alice'],
    ['tenant', 'acme'],
    ['realm', '*'],
  ])('that is missing for the %s of a session leaves it unprovable', (_scope, id) => {
    const others = [...Array(PARTITIONS).keys()].filter((partition) => partition !== partitionOf(id, PARTITIONS));
    expect(young(others).check(sessionVersions(claims), BOUND)).toBe('unprovable');
  });

  test('of a partition that none of its scopes is in is nothing to a session', () => {
    const own = ['alice', 'acme', '*'].map((id) => partitionOf(id, PARTITIONS));
    expect(young(own).check(sessionVersions(claims), BOUND)).toBe('active');
    const { ten: _, ...untenanted } = claims;
    const withoutTenant = ['alice', '*'].map((id) => partitionOf(id, PARTITIONS));
    expect(young(withoutTenant).check(sessionVersions(untenanted), BOUND)).toBe('active');
  });

  test('that is old or missing is no obstacle to evidence', () => {
    const known = young([]);
    known.apply(9, record('u:alice', 11, 11), HORIZON);
    expect(known.check(sessionVersions(claims), BOUND)).toBe('revoked');
  });

  test('that was dropped proves nothing until its next tick, not even by an older one again', () => {
    const known = replica();
    known.dropView(HERE);
    expect(known.viewAgeMs(HERE)).toBe(Number.POSITIVE_INFINITY);
    expect(known.check(sessionVersions(claims), BOUND)).toBe('unprovable');
    tick(known, HERE, NOW - 5);
    expect(known.check(sessionVersions(claims), BOUND)).toBe('active');
  });
});

describe('a tick from the future', () => {
  test('adds its lead to the age of every view, for good, and to what lies between a session and the horizon', () => {
    const known = replica();
    expect([known.skewMs, known.largestLeadMs]).toEqual([250, 0]);
    tick(known, 3, NOW + 200);
    expect([known.skewMs, known.largestLeadMs]).toEqual([250, 200]);
    tick(known, 3, NOW + 900);
    expect([known.skewMs, known.largestLeadMs]).toEqual([900, 900]);
    expect(known.viewAgeMs(4)).toBe(900);
    expect(known.viewAgeMs(3)).toBe(0);
    const minted = (at: number) => sessionVersions({ ...claims, ver: { ...claims.ver, at } });
    expect(known.check(minted(HORIZON + 900), BOUND)).toBe('unprovable');
    expect(known.check(minted(HORIZON + 901), BOUND)).toBe('active');
  });

  test('that was seen elsewhere is noted for its lead alone', () => {
    const known = replica();
    known.noteTick(NOW + 900);
    known.noteTick(NOW - 900);
    expect(known.viewAgeMs(4)).toBe(900);
  });
});
