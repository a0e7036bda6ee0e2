import { type AccessTokenClaims, partitionOf, type ScopeKey, type VersionRecord } from '@curfew/contracts';
import { Replica, type SessionVersions, sessionVersions } from '@curfew/replica';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const SCOPES: readonly ScopeKey[] = ['u:alice', 'u:bob', 'u:carol', 't:acme', 's:1', 'r'];

/** A bound that no view exceeds: these laws are about versions alone. */
const ANY_AGE = Number.POSITIVE_INFINITY;

interface Announcement {
  readonly record: VersionRecord;
  readonly announcedAt: number;
}

const announcements = fc.array(
  fc
    .record({
      scope: fc.constantFrom(...SCOPES),
      floor: fc.nat(20),
      above: fc.nat(3),
      announcedAt: fc.integer({ min: 1000, max: 1100 }),
    })
    .map(
      ({ scope, floor, above, announcedAt }): Announcement => ({
        record: { kind: 'version', scope, floor, current: floor + above, at: 0, why: 'x', id: 'x', offset: 0 },
        announcedAt,
      }),
    ),
);

const replicaOf = (applied: readonly Announcement[], maxEntries = 1000) => {
  const replica = new Replica({ partitions: 1, horizon: 500, maxEntries, maxClockSkewMs: 0, now: () => 2000 });
  for (const { record, announcedAt } of applied) replica.apply(0, record, announcedAt);
  return replica;
};

const stateOf = (replica: Replica) => ({
  horizon: replica.horizon,
  entries: SCOPES.map((scope) => replica.entry(scope)),
});

describe('the laws of the replica', () => {
  test('any order and any repetition of records give the same state', () => {
    const shuffled = announcements.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2, maxLength: all.length * 2 }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([all, other]) => {
        expect(stateOf(replicaOf(other))).toEqual(stateOf(replicaOf(all)));
      }),
    );
  });

  test('a record that raised a version says so, and no other does', () => {
    fc.assert(
      fc.property(announcements, (all) => {
        const replica = replicaOf([]);
        for (const { record, announcedAt } of all) {
          const { current = -1, floor = -1 } = { ...replica.entry(record.scope) };
          const raised = replica.apply(0, record, announcedAt);
          const after = replica.entry(record.scope);
          expect(raised).toBe(after !== undefined && (after.current > current || after.floor > floor));
          expect(replica.apply(0, record, announcedAt + 1)).toBe(false);
        }
      }),
    );
  });

  test('a version never falls, and neither does the horizon', () => {
    fc.assert(
      fc.property(announcements, fc.integer({ min: 1, max: 3 }), (all, maxEntries) => {
        const replica = replicaOf([], maxEntries);
        let before = stateOf(replica);
        for (const { record, announcedAt } of all) {
          replica.apply(0, record, announcedAt);
          const after = stateOf(replica);
          expect(after.horizon).toBeGreaterThanOrEqual(before.horizon);
          for (const [i, entry] of after.entries.entries()) {
            const old = before.entries[i];
            if (entry && old) expect(entry.floor).toBeGreaterThanOrEqual(old.floor);
            if (entry && old) expect(entry.current).toBeGreaterThanOrEqual(old.current);
          }
          before = { ...after, entries: after.entries.map((entry) => entry && { ...entry }) };
        }
      }),
    );
  });

  test('evidence against a session decides, however old the session is and whatever the horizon', () => {
    fc.assert(
      fc.property(announcements, fc.nat(25), fc.integer({ min: 0, max: 3000 }), (all, s, at) => {
        const verdict = replicaOf(all).check(session({ s, at }), ANY_AGE);
        const floor = Math.max(0, ...all.filter(({ record }) => record.scope === 'u:alice').map((a) => a.record.floor));
        if (s < floor) expect(verdict).toBe('revoked');
      }),
    );
  });
});

describe('what a session remembers of its lookups', () => {
  test('changes no verdict, but keeps evidence that the replica has forgotten', () => {
    fc.assert(
      fc.property(announcements, fc.nat(25), fc.constantFrom(2, 1000), (all, s, maxEntries) => {
        const replica = replicaOf([], maxEntries);
        const remembering = session({ s });
        for (const { record, announcedAt } of all) {
          replica.apply(0, record, announcedAt);
          const verdict = replica.check(remembering, ANY_AGE);
          const fresh = replica.check(session({ s }), ANY_AGE);
          if (maxEntries < all.length) expect(['revoked', 'stale', fresh]).toContain(verdict);
          else expect(verdict).toBe(fresh);
        }
      }),
    );
  });
});

describe('the laws of views', () => {
  const PARTITIONS = 3;
  const NOW = 10_000;
  const BOUND = 500;
  const SKEW = 50;

  interface Seen {
    readonly partition: number;
    readonly tick: number;
  }
  const seen = (min: number, max: number) =>
    fc.array(fc.record({ partition: fc.nat(PARTITIONS - 1), tick: fc.integer({ min, max }) }));
  const viewsOf = (clock: { now: number }) =>
    new Replica({ partitions: PARTITIONS, horizon: 0, maxClockSkewMs: SKEW, now: () => clock.now });
  const take = (replica: Replica, { partition, tick }: Seen) =>
    replica.apply(partition, { kind: 'tick', tick, offset: 0 }, tick);
  const ages = (replica: Replica) => Array.from({ length: PARTITIONS }, (_, i) => replica.viewAgeMs(i));
  const ids = {
    alice: partitionOf('alice', PARTITIONS),
    acme: partitionOf('acme', PARTITIONS),
    realm: partitionOf('*', PARTITIONS),
  };

  test('any order and any repetition of ticks give the same views', () => {
    const shuffled = seen(8000, 11_000).chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2, maxLength: all.length * 2 }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([all, other]) => {
        const [one, two] = [viewsOf({ now: NOW }), viewsOf({ now: NOW })];
        for (const tick of all) take(one, tick);
        for (const tick of other) take(two, tick);
        expect(ages(two)).toEqual(ages(one));
      }),
    );
  });

  test('a view never gets younger without a newer tick of its own partition', () => {
    const events = fc.array(
      fc.oneof(
        fc.record({ wait: fc.nat(300) }),
        fc.record({ partition: fc.nat(PARTITIONS - 1), tick: fc.integer({ min: 9000, max: 12_000 }) }),
        fc.record({ drop: fc.nat(PARTITIONS - 1) }),
        fc.record({ noted: fc.integer({ min: 9000, max: 12_000 }) }),
      ),
    );
    fc.assert(
      fc.property(events, (world) => {
        const clock = { now: NOW };
        const replica = viewsOf(clock);
        const newest = new Map<number, number>();
        for (const event of world) {
          const before = ages(replica);
          if ('wait' in event) clock.now += event.wait;
          else if ('drop' in event) replica.dropView(event.drop);
          else if ('noted' in event) replica.noteTick(event.noted);
          else take(replica, event);
          for (const [partition, age] of ages(replica).entries()) {
            const newer = 'tick' in event && event.partition === partition && event.tick > (newest.get(partition) ?? 0);
            if (!newer) expect(age).toBeGreaterThanOrEqual(before[partition] ?? 0);
          }
          if ('drop' in event) newest.delete(event.drop);
          if ('tick' in event) newest.set(event.partition, Math.max(newest.get(event.partition) ?? 0, event.tick));
        }
      }),
    );
  });

  test('no session is accepted with a view of its scopes older than the bound', () => {
    fc.assert(
      fc.property(seen(9000, 10_100), fc.nat(600), (ticks, wait) => {
        const clock = { now: NOW };
        const replica = viewsOf(clock);
        for (const tick of ticks) take(replica, tick);
        clock.now += wait;
        const newest = (partition: number) =>
          Math.max(
            Number.NEGATIVE_INFINITY,
            ...ticks.filter((one) => one.partition === partition).map(({ tick }) => tick),
          );
        const oldest = Math.min(newest(ids.alice), newest(ids.acme), newest(ids.realm));
        const lead = Math.max(SKEW, ...ticks.map(({ tick }) => tick - NOW));
        const provable = clock.now - oldest + lead <= BOUND;
        expect(replica.check(session({}), BOUND)).toBe(provable ? 'active' : 'unprovable');
      }),
    );
  });

  test('ticks that arrive in a burst after a stall look as old as they are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 1, max: 10 }), (stall, held) => {
        const clock = { now: NOW };
        const replica = viewsOf(clock);
        clock.now += stall;
        for (let i = 0; i < held; i++)
          for (let partition = 0; partition < PARTITIONS; partition++)
            take(replica, { partition, tick: NOW - i * 100 });
        expect(ages(replica)).toEqual(Array(PARTITIONS).fill(stall + SKEW));
        expect(replica.check(session({}), BOUND)).toBe(stall + SKEW <= BOUND ? 'active' : 'unprovable');
      }),
    );
  });

  test('the lead only rises, and is the largest that was seen', () => {
    fc.assert(
      fc.property(seen(9000, 12_000), (ticks) => {
        const replica = viewsOf({ now: NOW });
        let largest = 0;
        for (const one of ticks) {
          take(replica, one);
          largest = Math.max(largest, one.tick - NOW);
          expect(replica.largestLeadMs).toBe(largest);
          expect(replica.skewMs).toBe(Math.max(SKEW, largest));
        }
      }),
    );
  });
});

/**
 * A world without faults: each step bumps a scope or mints a session for alice with the versions of that moment. The
 * replica is far too small, so that entries fall out all the time.
 */
describe('an evicted entry', () => {
  const steps = fc.array(
    fc.oneof(
      {
        arbitrary: fc.record({ bump: fc.constantFrom<ScopeKey>('u:alice', 'u:bob', 'u:carol', 't:acme', 'r') }),
        weight: 3,
      },
      { arbitrary: fc.constant({ mint: true as const }), weight: 2 },
    ),
    { maxLength: 40 },
  );

  test('never turns a revoked session active', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 3 }), (world, maxEntries) => {
        const replica = replicaOf([], maxEntries);
        const truth = new Map<ScopeKey, number>();
        const minted: SessionVersions[] = [];
        for (const [i, step] of world.entries()) {
          const time = 1000 + i;
          if ('bump' in step) {
            truth.set(step.bump, time);
            const { bump: scope } = step;
            const record = {
              kind: 'version',
              scope,
              current: time,
              floor: time,
              at: time,
              why: 'x',
              id: 'x',
              offset: i,
            } as const;
            replica.apply(0, record, time);
          } else {
            const at = (scope: ScopeKey) => truth.get(scope) ?? 0;
            minted.push(session({ s: at('u:alice'), t: at('t:acme'), r: at('r'), at: time }));
          }
          for (const old of minted) {
            const ended =
              old.s < (truth.get('u:alice') ?? 0) ||
              old.t < (truth.get('t:acme') ?? 0) ||
              old.r < (truth.get('r') ?? 0);
            const verdict = replica.check(old, ANY_AGE);
            expect(ended ? ['revoked', 'unprovable'] : ['active', 'unprovable']).toContain(verdict);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

const CLAIMS = { sub: 'alice', ten: 'acme', sid: 'none', ver: { s: 0, t: 1000, r: 1000, at: 1500 } };

const session = (versions: Partial<typeof CLAIMS.ver>): SessionVersions =>
  sessionVersions({ ...CLAIMS, ver: { ...CLAIMS.ver, ...versions } } as AccessTokenClaims);
