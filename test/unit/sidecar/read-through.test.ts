import { Replica, type SessionVersions, sessionVersions } from '@curfew/replica';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { Authenticator } from '../../../libs/sidecar/src/authenticator.ts';
import { clockOf } from '../../../libs/sidecar/src/clock.ts';
import {
  type ReadThroughOptions,
  type ReadVersions,
  type StoredVersions,
  verdictOf,
} from '../../../libs/sidecar/src/read-through.ts';
import { within } from '../../../libs/sidecar/src/time-limit.ts';
import { CLAIMS, NOW } from './issuer.ts';
import { BOUND, readThroughOf } from './store.ts';

const NEVER: StoredVersions['subject'] = { current: 0, floor: 0 };
const ofVersions = (versions: Partial<StoredVersions>): StoredVersions => ({
  subject: NEVER,
  tenant: NEVER,
  realm: NEVER,
  sessionEnded: false,
  tick: NOW,
  ...versions,
});
const session = (claims: object = {}): SessionVersions =>
  sessionVersions({ ...CLAIMS, ten: 'acme', ver: { s: 10, t: 10, r: 10, at: 0 }, ...claims });

const AS_MINTED = ofVersions({
  subject: { current: 10, floor: 10 },
  tenant: { current: 10, floor: 10 },
  realm: { current: 10, floor: 10 },
});

interface Asked {
  readonly session: SessionVersions;
  readonly answer: (versions?: StoredVersions) => void;
  readonly fail: () => void;
}

let now: number;
let asked: Asked[];
beforeEach(() => {
  [now, asked] = [NOW, []];
});

/** A store whose answers come when the test says so. */
const read: ReadVersions = (of) =>
  new Promise((resolve, reject) => {
    const answer = (versions = AS_MINTED) => resolve(versions);
    asked.push({ session: of, answer, fail: () => reject(new Error('away')) });
  });
const pending = (options: Partial<ReadThroughOptions> = {}) =>
  readThroughOf({
    read,
    now: () => now,
    ...options,
  });

describe('what the store says', () => {
  const verdict = (of: SessionVersions, stored: StoredVersions, ageMs = 0) => verdictOf(of, stored, ageMs, BOUND);

  test('proves a session that has every version, up to the bound', () => {
    expect(verdict(session(), AS_MINTED)).toBe('active');
    expect(verdict(session(), AS_MINTED, BOUND)).toBe('active');
    expect(verdict(session(), AS_MINTED, BOUND + 1)).toBe('unprovable');
  });

  test.each(['subject', 'tenant', 'realm'] as const)(
    'ends or renews a session below the version of its %s, however old it is',
    (scope) => {
      for (const ageMs of [0, Number.POSITIVE_INFINITY]) {
        expect(verdict(session(), { ...AS_MINTED, [scope]: { current: 11, floor: 11 } }, ageMs)).toBe('revoked');
        expect(verdict(session(), { ...AS_MINTED, [scope]: { current: 11, floor: 10 } }, ageMs)).toBe('stale');
      }
    },
  );

  test('ends a session by its own tombstone', () => {
    expect(verdict(session(), { ...AS_MINTED, sessionEnded: true })).toBe('revoked');
  });

  test.each(['subject', 'tenant', 'realm'] as const)(
    'proves nothing when it is behind the session in its %s: it has lost writes',
    (scope) => {
      expect(verdict(session(), { ...AS_MINTED, [scope]: { current: 9, floor: 0 } })).toBe('unprovable');
    },
  );

  test('does not measure a session without a tenant by any', () => {
    const untenanted = session({ ten: undefined, ver: { s: 10, t: 0, r: 10, at: 0 } });
    expect(verdict(untenanted, { ...AS_MINTED, tenant: { current: 11, floor: 11 } })).toBe('active');
  });
});

describe('a read', () => {
  test('is shared by a thousand requests of one session that come while it is under way, and by no other', async () => {
    const reads = pending();
    const answers = Array.from({ length: 1000 }, () => reads.check(session(), BOUND));
    answers.push(reads.check(session({ sid: 'phone' }), BOUND));
    expect(asked.map((one) => one.session.session.scope)).toEqual(['s:laptop', 's:phone']);
    for (const { answer } of asked) answer();
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['active']));
    reads.check(session(), BOUND);
    expect(asked).toHaveLength(3);
  });

  test('that fails leaves all who share it unprovable, and the next request reads again', async () => {
    const told: boolean[] = [];
    const reads = pending({ onRead: (_, ok) => told.push(ok) });
    const answers = [reads.check(session(), BOUND), reads.check(session(), BOUND)];
    asked[0]?.fail();
    expect(await Promise.all(answers)).toEqual(['unprovable', 'unprovable']);
    expect(told).toEqual([false]);
    reads.check(session(), BOUND);
    expect(asked).toHaveLength(2);
  });

  test('decides by the age that its tick has when the answer is looked at, the skew included', async () => {
    for (const [lateMs, skewMs, verdict] of [
      [BOUND - 250, 250, 'active'],
      [BOUND - 249, 250, 'unprovable'],
      [BOUND, 0, 'active'],
    ] as const) {
      [now, asked] = [NOW, []];
      const answer = pending({ skewMs: () => skewMs }).check(session(), BOUND);
      now = NOW + lateMs;
      asked[0]?.answer();
      expect(await answer).toBe(verdict);
    }
  });

  test('is measured by each request that shares it against a bound of its own', async () => {
    const reads = pending();
    const answers = [reads.check(session(), 300), reads.check(session(), BOUND)];
    now = NOW + 301;
    asked[0]?.answer();
    expect(await Promise.all(answers)).toEqual(['unprovable', 'active']);
  });

  test('re-dates the session to the tick that it read, not to any clock', async () => {
    const old = session();
    const answer = pending().check(old, BOUND);
    now = NOW + 400;
    asked[0]?.answer({ ...AS_MINTED, tick: NOW - 70 });
    await answer;
    expect(old.at).toBe(NOW - 70);
  });

  test('never makes a session older, and re-dates none that it does not accept', async () => {
    const reads = pending();
    const young = session({ ver: { s: 10, t: 10, r: 10, at: NOW + 5 } });
    const ended = session({ sid: 'phone' });
    const unproven = session({ sid: 'tv' });
    const answers = [reads.check(young, BOUND), reads.check(ended, BOUND), reads.check(unproven, BOUND)];
    asked[0]?.answer();
    asked[1]?.answer({ ...AS_MINTED, sessionEnded: true });
    asked[2]?.answer({ ...AS_MINTED, tick: NOW - BOUND - 1 });
    await Promise.all(answers);
    expect([young.at, ended.at, unproven.at]).toEqual([NOW + 5, 0, 0]);
  });

  test('tells the tick that it read, which may show how far this clock is behind', async () => {
    const ticks: number[] = [];
    const answer = pending({ noteTick: (tick) => ticks.push(tick) }).check(session(), BOUND);
    asked[0]?.answer({ ...AS_MINTED, tick: NOW + 900 });
    await answer;
    expect(ticks).toEqual([NOW + 900]);
  });

  test('does not happen while it is unknown where a version is', async () => {
    expect(await pending({ canRead: () => false }).check(session(), BOUND)).toBe('unprovable');
    expect(asked).toEqual([]);
  });

  test('says whether the store can prove anything now', async () => {
    const reads = pending();
    const proves = async (versions: Partial<StoredVersions>) => {
      asked = [];
      const answer = reads.proves(session(), BOUND);
      asked[0]?.answer({ ...AS_MINTED, ...versions });
      return answer;
    };
    expect(await proves({})).toBe(true);
    expect(await proves({ tick: NOW - BOUND - 1 })).toBe(false);
    expect(await proves({ tick: 0 })).toBe(false);
    asked = [];
    const failed = reads.proves(session(), BOUND);
    asked[0]?.fail();
    expect(await failed).toBe(false);
  });
});

describe('a store that hangs', () => {
  test('costs a request no more than the time that a read may take', async () => {
    const reads = pending({ read: (of) => within(50, read(of)) });
    const from = performance.now();
    expect(await reads.check(session(), BOUND)).toBe('unprovable');
    expect(performance.now() - from).toBeLessThan(200);
  });

  test('costs no more than a look at the circuit after three reads, until one in a while finds it back', async () => {
    const reads = pending({ read: (of) => within(5, read(of)) });
    for (let i = 0; i < 3; i++) await reads.check(session(), BOUND);
    expect(asked).toHaveLength(3);
    for (let i = 0; i < 100; i++) expect(await reads.check(session(), BOUND)).toBe('unprovable');
    expect(asked).toHaveLength(3);
    now += 60;
    const probe = reads.check(session(), BOUND);
    expect(await reads.check(session({ sid: 'phone' }), BOUND)).toBe('unprovable');
    expect(asked).toHaveLength(4);
    asked[3]?.answer({ ...AS_MINTED, tick: now });
    expect(await probe).toBe('active');
    reads.check(session(), BOUND);
    reads.check(session({ sid: 'phone' }), BOUND);
    expect(asked).toHaveLength(6);
  });

  test('is heard when its answer waits in the socket while this process was busy', async () => {
    const reads = readThroughOf({
      read: () => within(5, new Promise((resolve) => setImmediate(() => resolve(AS_MINTED)))),
      now: () => now,
    });
    // Here the loop looks at its timers before it comes to the answer.
    await new Promise(setImmediate);
    const answer = reads.check(session(), BOUND);
    for (const until = performance.now() + 30; performance.now() < until; );
    expect(await answer).toBe('active');
  });
});

/**
 * A world of one account, in which bumps reach Redis first and the replica later, ticks follow the bumps on both ways, and
 * reads take their time. Time moves by some ms a step. Every accept is held against the truth of the bound.
 */
describe('the ladder', () => {
  const steps = fc.array(
    fc.oneof(
      { arbitrary: fc.constant('bump'), weight: 2 },
      { arbitrary: fc.constant('store'), weight: 3 },
      { arbitrary: fc.constant('announce'), weight: 3 },
      { arbitrary: fc.constant('mint'), weight: 2 },
      { arbitrary: fc.constant('request'), weight: 4 },
      { arbitrary: fc.constant('answer'), weight: 4 },
      { arbitrary: fc.constant('gap'), weight: 1 },
      { arbitrary: fc.constant('stall'), weight: 1 },
    ),
    { minLength: 10, maxLength: 80 },
  );
  const WORLD_BOUND = 10;

  test('accepts no session that was ended longer ago than the bound, and dates none after the tick it read', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (world) => {
        let time = 1000;
        /** What is true, what Redis has and what the replica has: a version, and up to when it is complete. */
        const [truth, stored, known] = [0, 0, 0].map(() => ({ floor: 0, tick: time })) as [Place, Place, Place];
        const history: { floor: number; at: number }[] = [];
        const replica = new Replica({ partitions: 1, horizon: time, maxClockSkewMs: 0, now: () => time });
        const waiting: (() => void)[] = [];
        let vouched = 0;
        const readThrough = readThroughOf({
          read: () =>
            new Promise((resolve) => {
              const { floor, tick } = stored;
              waiting.push(() => {
                vouched = Math.max(vouched, tick);
                resolve(ofVersions({ subject: { current: floor, floor }, tick }));
              });
            }),
          now: () => time,
        });
        const minted = new Map<string, number>();
        const pendingRequests: Promise<void>[] = [];
        const authenticator = new Authenticator({
          checkToken: async (token) => {
            const [s = 0, at = 0] = token.split(':').map(Number);
            return { ok: true, claims: { ...CLAIMS, sid: token, ver: { s, t: 0, r: 0, at } } };
          },
          checkAt: (versions, bound, at) => replica.checkAt(versions, bound, at),
          readThrough,
          acceptances: { add: () => {}, takeBack: () => {} },
          tokenCacheSize: 100,
          clock: clockOf(() => time),
        });

        const request = async (token: string, s: number) => {
          const answer = await authenticator.authenticate(token, 'strict', WORLD_BOUND);
          if (!answer.ok) return;
          // Held against the time of the decision, not of the request.
          for (const { floor, at } of history) if (at < time - WORLD_BOUND) expect(s).toBeGreaterThanOrEqual(floor);
          expect(s).toBeGreaterThanOrEqual(known.floor);
          expect(answer.session.versions.at).toBeLessThanOrEqual(Math.max(Number(token.split(':')[1]), vouched));
        };
        for (const step of world) {
          time++;
          if (step === 'bump') {
            truth.floor = time;
            history.push({ floor: time, at: time });
          } else if (step === 'store') Object.assign(stored, { floor: truth.floor, tick: time });
          else if (step === 'announce') {
            Object.assign(known, stored);
            const versions = { current: known.floor, floor: known.floor, at: known.floor };
            replica.apply(0, { kind: 'version', scope: 'u:alice', ...versions, why: 'x', id: 'x', offset: 0 }, time);
            replica.apply(0, { kind: 'tick', tick: known.tick, offset: 0 }, time);
          } else if (step === 'mint') minted.set(`${stored.floor}:${stored.tick}`, stored.floor);
          else if (step === 'gap') replica.raiseHorizon(time);
          else if (step === 'stall') time += 2 * WORLD_BOUND;
          else if (step === 'request') for (const [token, s] of minted) pendingRequests.push(request(token, s));
          else if (step === 'answer') for (const answer of waiting.splice(0)) answer();
          // Lets what was answered in this step be decided before the next one.
          await new Promise(setImmediate);
        }
        for (const answer of waiting.splice(0)) answer();
        await Promise.all(pendingRequests);
      }),
      { numRuns: 100 },
    );
  });

  test('reads never extend freshness: without a newer tick, all is unprovable once the bound is over', async () => {
    const ticks = fc.array(fc.integer({ min: NOW - 3000, max: NOW }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(ticks, fc.nat(3000), fc.nat(8), async (read, wait, again) => {
        let time = NOW;
        let tick = 0;
        const of = session();
        const reads = readThroughOf({ read: async () => ({ ...AS_MINTED, tick }), now: () => time });
        for (tick of read) await reads.check(of, BOUND);
        tick = Math.max(...read);
        time += wait;
        const provable = time - tick <= BOUND;
        for (let i = 0; i <= again; i++) expect(await reads.check(of, BOUND)).toBe(provable ? 'active' : 'unprovable');
        expect(of.at).toBeLessThanOrEqual(tick);
      }),
    );
  });
});

interface Place {
  floor: number;
  tick: number;
}
