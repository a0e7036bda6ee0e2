import type { AccessTokenClaims, ScopeKey, VersionRecord } from '@curfew/contracts';
import { Replica, type SessionVersions, sessionVersions } from '@curfew/replica';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const SCOPES: readonly ScopeKey[] = ['u:alice', 'u:bob', 'u:carol', 't:acme', 's:1', 'r'];

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
        const verdict = replicaOf(all).check(session({ s, at }));
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
          const verdict = replica.check(remembering);
          const fresh = replica.check(session({ s }));
          if (maxEntries < all.length) expect(['revoked', 'stale', fresh]).toContain(verdict);
          else expect(verdict).toBe(fresh);
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
            const verdict = replica.check(old);
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
