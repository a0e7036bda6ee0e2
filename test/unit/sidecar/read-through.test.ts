import { Replica, type SessionVersions, sessionVersions } from '@curfew/replica';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Authenticator } from '../../../libs/sidecar/src/authenticator.ts';
import {
  ReadThrough,
  type SessionScopes,
  type StoredVersion,
  type StoredVersions,
  verdictOf,
} from '../../../libs/sidecar/src/read-through.ts';
import { CLAIMS, NOW } from './issuer.ts';

const NEVER: StoredVersion = { current: 0, floor: 0 };
const ofVersions = (versions: Partial<StoredVersions>): StoredVersions => ({
  subject: NEVER,
  tenant: NEVER,
  realm: NEVER,
  ended: false,
  ...versions,
});
const session = (claims: object = {}): SessionVersions =>
  sessionVersions({ ...CLAIMS, ten: 'acme', ver: { s: 10, t: 10, r: 10, at: 0 }, ...claims });

const AS_MINTED = ofVersions({
  subject: { current: 10, floor: 10 },
  tenant: { current: 10, floor: 10 },
  realm: { current: 10, floor: 10 },
});

/** A store whose answers come when the test says so. */
function pendingStore() {
  const asked: { scopes: SessionScopes; answer: (versions: StoredVersions) => void; fail: () => void }[] = [];
  const read = (scopes: SessionScopes) =>
    new Promise<StoredVersions>((answer, reject) => {
      asked.push({ scopes, answer, fail: () => reject(new Error('away')) });
    });
  return { asked, read };
}

describe('what the store says', () => {
  test('proves a session that has every version', () => {
    expect(verdictOf(session(), AS_MINTED)).toBe('active');
  });

  test.each(['subject', 'tenant', 'realm'] as const)(
    'ends or renews a session below the version of its %s',
    (scope) => {
      expect(verdictOf(session(), { ...AS_MINTED, [scope]: { current: 11, floor: 11 } })).toBe('revoked');
      expect(verdictOf(session(), { ...AS_MINTED, [scope]: { current: 11, floor: 10 } })).toBe('stale');
    },
  );

  test('ends a session by its own tombstone', () => {
    expect(verdictOf(session(), { ...AS_MINTED, ended: true })).toBe('revoked');
  });

  test.each(['subject', 'tenant', 'realm'] as const)(
    'proves nothing when it is behind the session in its %s: it has lost writes',
    (scope) => {
      expect(verdictOf(session(), { ...AS_MINTED, [scope]: { current: 9, floor: 0 } })).toBe('unprovable');
    },
  );

  test('does not measure a session without a tenant by any', () => {
    const untenanted = session({ ten: undefined, ver: { s: 10, t: 0, r: 10, at: 0 } });
    expect(verdictOf(untenanted, { ...AS_MINTED, tenant: { current: 11, floor: 11 } })).toBe('active');
  });
});

describe('a read', () => {
  test('asks for the scopes of the session', async () => {
    const { asked, read } = pendingStore();
    new ReadThrough(
      read,
      () => NOW,
      () => {},
    ).check(session());
    expect(asked[0]?.scopes).toEqual({ subject: 'u:alice', tenant: 't:acme', session: 's:laptop' });
  });

  test('is shared by the requests of one session that come while it is under way, and by no other session', async () => {
    const { asked, read } = pendingStore();
    const reads = new ReadThrough(
      read,
      () => NOW,
      () => {},
    );
    const answers = [reads.check(session()), reads.check(session()), reads.check(session({ sid: 'phone' }))];
    expect(asked).toHaveLength(2);
    for (const { answer } of asked) answer(AS_MINTED);
    expect(await Promise.all(answers)).toEqual(['active', 'active', 'active']);
    reads.check(session());
    expect(asked).toHaveLength(3);
  });

  test('that fails leaves all who share it unprovable, and the next request reads again', async () => {
    const { asked, read } = pendingStore();
    const told: boolean[] = [];
    const reads = new ReadThrough(
      read,
      () => NOW,
      (_, ok) => told.push(ok),
    );
    const answers = [reads.check(session()), reads.check(session())];
    asked[0]?.fail();
    expect(await Promise.all(answers)).toEqual(['unprovable', 'unprovable']);
    expect(told).toEqual([false]);
    reads.check(session());
    expect(asked).toHaveLength(2);
  });

  test('re-dates the session to when it began, not to when the answer came', async () => {
    const { asked, read } = pendingStore();
    let now = NOW;
    const old = session();
    const answer = new ReadThrough(
      read,
      () => now,
      () => {},
    ).check(old);
    now = NOW + 400;
    asked[0]?.answer(AS_MINTED);
    await answer;
    expect(old.at).toBe(NOW);
  });

  test('that joins another is dated to when that one began', async () => {
    const { asked, read } = pendingStore();
    let now = NOW;
    const reads = new ReadThrough(
      read,
      () => now,
      () => {},
    );
    const first = reads.check(session());
    now = NOW + 400;
    const late = session();
    const second = reads.check(late);
    asked[0]?.answer(AS_MINTED);
    await Promise.all([first, second]);
    expect(late.at).toBe(NOW);
  });

  test('never makes a session older, and re-dates none that it does not accept', async () => {
    const { asked, read } = pendingStore();
    const reads = new ReadThrough(
      read,
      () => NOW,
      () => {},
    );
    const young = session({ ver: { s: 10, t: 10, r: 10, at: NOW + 5 } });
    const ended = session({ sid: 'phone' });
    const answers = [reads.check(young), reads.check(ended)];
    asked[0]?.answer(AS_MINTED);
    asked[1]?.answer({ ...AS_MINTED, ended: true });
    await Promise.all(answers);
    expect([young.at, ended.at]).toEqual([NOW + 5, 0]);
  });
});

/**
 * A world of one account, in which bumps reach Redis first and the replica later, and reads take their time. Time moves by
 * one ms a step. Every accept is held against what had been seen by then.
 */
describe('the ladder', () => {
  const steps = fc.array(
    fc.oneof(
      { arbitrary: fc.constant('bump'), weight: 2 },
      { arbitrary: fc.constant('announce'), weight: 3 },
      { arbitrary: fc.constant('mint'), weight: 2 },
      { arbitrary: fc.constant('request'), weight: 4 },
      { arbitrary: fc.constant('answer'), weight: 4 },
      { arbitrary: fc.constant('gap'), weight: 1 },
    ),
    { minLength: 10, maxLength: 80 },
  );

  test('never accepts below a floor that the replica or the read has seen, and dates no session after its read', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (world) => {
        let now = 1000;
        let truth = 0;
        let announced = 0;
        const replica = new Replica({ partitions: 1, horizon: now, maxClockSkewMs: 0, now: () => now });
        const waiting: { floor: number; beganAt: number; resolve: (versions: StoredVersions) => void }[] = [];
        const readThrough = new ReadThrough(
          () => new Promise((resolve) => waiting.push({ floor: truth, beganAt: now, resolve })),
          () => now,
          () => {},
        );
        const minted = new Map<string, number>();
        const pending: Promise<void>[] = [];
        let vouched = 0;
        const authenticator = new Authenticator({
          checkToken: async (token) => {
            const [s = 0, at = 0] = token.split(':').map(Number);
            return { ok: true, claims: { ...CLAIMS, sid: token, ver: { s, t: 0, r: 0, at } } };
          },
          check: (versions) => replica.check(versions),
          readThrough,
          tokenCacheSize: 100,
          now: () => now,
        });

        const request = async (token: string, s: number) => {
          const answer = await authenticator.authenticate(token, 'strict');
          if (!answer.ok) return;
          expect(s).toBeGreaterThanOrEqual(announced);
          expect(answer.session.versions.at).toBeLessThanOrEqual(Math.max(Number(token.split(':')[1]), vouched));
        };
        const answerAll = () => {
          for (const { floor, beganAt, resolve } of waiting.splice(0)) {
            vouched = Math.max(vouched, beganAt);
            resolve(ofVersions({ subject: { current: floor, floor } }));
          }
        };
        for (const step of world) {
          now++;
          if (step === 'bump') truth = now;
          else if (step === 'announce' && truth > announced) {
            announced = truth;
            const versions = { current: truth, floor: truth, at: truth };
            replica.apply(0, { kind: 'version', scope: 'u:alice', ...versions, why: 'x', id: 'x', offset: 0 }, now);
          } else if (step === 'mint') minted.set(`${truth}:${now}`, truth);
          else if (step === 'gap') replica.raiseHorizon(now);
          else if (step === 'request') for (const [token, s] of minted) pending.push(request(token, s));
          else if (step === 'answer') answerAll();
          // Lets what was answered in this step be decided before the next one.
          await new Promise(setImmediate);
        }
        answerAll();
        await Promise.all(pending);
      }),
      { numRuns: 200 },
    );
  });
});
