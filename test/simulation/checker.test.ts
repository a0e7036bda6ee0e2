import { beforeEach, describe, expect, test } from 'vitest';
import { Checker } from './checker.ts';
import type { HistoryEffect, HistoryEvent, HistoryToken } from './history.ts';

const BOUND_MS = 200;

let checker: Checker;
beforeEach(() => {
  checker = new Checker(BOUND_MS);
});

const kinds = () => checker.violations.map(({ kind }) => kind);

const ends: HistoryEffect = { scope: 'u:alice', ends: true };
const event = (at: number, effect: HistoryEffect = ends, rest: Partial<HistoryEvent> = {}): void =>
  checker.event({ id: `e${at}`, partition: 0, offset: at, at, time: at, effects: [effect], ...rest });

const token = (id: string, rest: Partial<HistoryToken> = {}): void =>
  checker.token({ token: id, sid: 'one', subject: 'alice', s: 0, t: 0, r: 0, began: 90, at: 100, ...rest });

const decided = (at: number, verdict: 'active' | 'stale' | 'revoked', policy: 'strict' | 'lenient' = 'strict'): void =>
  checker.decision({ at, by: 'orders', token: 'k', policy, verdict });

describe('an accept', () => {
  test('is stale later than the bound after the event that ended the session, and not before', () => {
    token('k');
    event(1000);
    decided(1000 + BOUND_MS, 'active');
    expect(kinds()).toEqual([]);
    decided(1001 + BOUND_MS, 'active');
    expect(kinds()).toEqual(['stale-accept']);
    expect([...checker.overdue(1001 + BOUND_MS)]).toEqual(['k']);
  });

  test('on a lenient route, or of a session that nothing ended, is none of its business', () => {
    token('k');
    event(1000, { scope: 'u:bob', ends: true });
    decided(5000, 'active');
    event(2000);
    decided(5000, 'active', 'lenient');
    expect(kinds()).toEqual([]);
  });

  test('is stale for a token refreshed after its session ended, whatever versions it carries', () => {
    token('first');
    event(1000);
    token('k', { s: 9999, began: 1100, at: 1200 });
    decided(2000, 'active');
    expect(kinds()).toEqual(['stale-accept']);
  });

  test('is stale for a token made from versions that lack an event', () => {
    event(1000);
    token('k', { s: 999, began: 1400, at: 1500 });
    decided(1600, 'active');
    expect(kinds()).toEqual(['stale-accept']);
  });

  test('of the session that an event spares is stale with its old token, and right with a new one', () => {
    token('k');
    event(1000, { ...ends, keeps: 'one' });
    decided(2000, 'active');
    expect(kinds()).toEqual(['stale-accept']);
    token('k', { s: 1000, began: 2100, at: 2100 });
    decided(3000, 'active');
    expect(kinds()).toHaveLength(1);
  });

  test('is stale for the sessions of a device that an event names, and for no others', () => {
    token('k', { device: 'phone' });
    event(1000, { ...ends, device: 'laptop' });
    decided(2000, 'active');
    expect(kinds()).toEqual([]);
    event(3000, { ...ends, device: 'phone' });
    decided(4000, 'active');
    expect(kinds()).toEqual(['stale-accept']);
  });
});

describe('a rejection as revoked', () => {
  test('is false where nothing ended the session', () => {
    token('k');
    decided(1000, 'revoked');
    expect(kinds()).toEqual(['false-kill']);
  });

  test('is false where the event had been applied before the sign-in began', () => {
    event(50);
    checker.applied(0, 50, 60);
    token('k');
    decided(1000, 'revoked');
    expect(kinds()).toEqual(['false-kill']);
  });

  test('is right where the event came, but was not applied before the sign-in began', () => {
    event(50);
    checker.applied(0, 50, 95);
    token('k');
    decided(1000, 'revoked');
    expect(kinds()).toEqual([]);
  });

  test('is counted apart after Redis lost writes', () => {
    token('k');
    checker.lost('Redis');
    decided(1000, 'revoked');
    expect(kinds()).toEqual([]);
    expect(checker.overRevocations).toBe(1);
  });
});

describe('a version', () => {
  test('must not fall, but once where its store lost writes', () => {
    checker.version('Redis', 'r', { current: 5, floor: 3 }, 1);
    checker.lost('Redis');
    checker.version('Redis', 'r', { current: 4, floor: 2 }, 2);
    expect(kinds()).toEqual([]);
    checker.version('Redis', 'r', { current: 4, floor: 1 }, 3);
    expect(kinds()).toEqual(['version-fell']);
  });

  test('must be announced as high as its event made it', () => {
    event(1000);
    checker.announcement({ scope: 'u:alice', current: 1000, offset: 1000 }, 0, 1001);
    expect(kinds()).toEqual([]);
    checker.announcement({ scope: 'u:alice', current: 999, offset: 1000 }, 0, 1001);
    expect(kinds()).toEqual(['announced-below-event']);
  });
});

describe('in the end', () => {
  const end = (current: number, floor: number, announced = ['e1000'], rejected: string[] = []) =>
    checker.end({
      at: 9000,
      versions: new Map([['u:alice', { current, floor }]]),
      announced: new Set(announced),
      rejected: new Set(rejected),
    });

  test('every event is in the versions, and was announced or kept aside', () => {
    event(1000);
    end(1000, 1000);
    end(1000, 1000, [], ['e1000']);
    expect(kinds()).toEqual([]);
    end(1000, 1000, []);
    end(1000, 999);
    expect(kinds()).toEqual(['event-lost', 'event-lost']);
  });

  test('no version is higher than the log makes it', () => {
    event(1000);
    end(1001, 1000);
    expect(kinds()).toEqual(['version-differs']);
  });
});
