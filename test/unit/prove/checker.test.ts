import { describe, expect, test } from 'vitest';
import { check } from '../../prove/checker.ts';
import type { History } from '../../prove/history.ts';
import { announcedOf, BOUND_MS, decisionOf, eventOf, grantOf, historyOf, publicationOf } from './history-of.ts';

const APPENDED_AT = 1000;
const ACKED_AT = 1005;
const kinds = (history: History) => check(history).violations.map(({ kind }) => kind);
/** A history like the good one, with more decisions. */
const deciding = (...decisions: Parameters<typeof decisionOf>[0][]) =>
  historyOf({ decisions: decisions.map(decisionOf) });

test('finds nothing in a history that went well', () => {
  expect(check(historyOf())).toEqual({ violations: [], stalenessMs: 0, overRevoked: 0 });
});

describe('a stale accept', () => {
  test('is one later than the bound after the event was appended', () => {
    expect(kinds(deciding({ at: APPENDED_AT + BOUND_MS + 1 }))).toEqual(['stale accept']);
  });

  test('is none within the bound, but counts as staleness', () => {
    const findings = check(deciding({ at: APPENDED_AT + BOUND_MS }));
    expect(findings.violations).toEqual([]);
    expect(findings.stalenessMs).toBe(BOUND_MS);
  });

  test('is none where a lenient route says that it is unproven', () => {
    expect(kinds(deciding({ at: 9000, policy: 'lenient', outcome: 'unproven' }))).toEqual([]);
  });

  test('is one on a lenient route that claims to have proven it', () => {
    expect(kinds(deciding({ at: 9000, policy: 'lenient' }))).toEqual(['stale accept']);
  });

  test('is none where nobody had an acknowledgement', () => {
    const { ackedAt: _ackedAt, place: _place, ...publication } = publicationOf({});
    const history = { ...deciding({ at: 9000 }), publications: [publication] };
    expect(kinds(history)).toEqual([]);
  });

  test('is one whatever version the token carries, where it was there before the event was sent', () => {
    const grants = [grantOf({ version: { s: 5000, t: 0, r: 0 } })];
    expect(kinds({ ...deciding({ at: 9000 }), grants, verdicts: [] })).toEqual(['stale accept']);
  });

  test('is none for the session that was opened behind the event', () => {
    const grants = [grantOf({ version: { s: 1000, t: 0, r: 0 }, requestedAt: 1100, receivedAt: 1110 })];
    expect(kinds({ ...deciding({ at: 9000 }), grants, verdicts: [] })).toEqual([]);
  });

  test('is one by the tombstone of its session alone', () => {
    const log = [eventOf({ effects: [{ scope: 's:phone', ends: true }] })];
    const stored = new Map([['s:phone', { current: 1000, floor: 1000 }]]);
    const announced = [announcedOf({ scope: 's:phone' })];
    expect(kinds({ ...deciding({ at: 9000 }), log, stored, announced })).toEqual(['stale accept']);
  });

  test('is one of a token that should have been renewed', () => {
    const log = [eventOf({ effects: [{ scope: 'u:alice', ends: false }] })];
    expect(kinds({ ...deciding({ at: 9000 }), log, verdicts: [] })).toEqual(['stale accept']);
  });

  test('is none by the copy of an event that arrived after the acknowledged one', () => {
    const copy = eventOf({ offset: 9, time: 4000 });
    const grants = [grantOf({ version: { s: 1000, t: 0, r: 0 }, requestedAt: 1100, receivedAt: 1110 })];
    const announced = [announcedOf({}), announcedOf({ current: 4000, floor: 4000, offset: 9 })];
    const stored = new Map([['u:alice', { current: 4000, floor: 4000 }]]);
    const history = historyOf({
      decisions: [decisionOf({ at: 5000 })],
      log: [eventOf({}), copy],
      grants,
      announced,
      stored,
    });
    expect(kinds({ ...history, verdicts: [] })).toEqual([]);
  });
});

describe('a false kill', () => {
  const behind = grantOf({
    version: { s: 1000, t: 0, r: 0 },
    requestedAt: 1010,
    receivedAt: 1020,
    after: { partition: publicationOf({}).place?.partition ?? 0, offset: 7 },
  });
  const revoked = historyOf({
    grants: [behind],
    decisions: [decisionOf({ at: 1500, outcome: 'session_revoked' })],
    verdicts: [],
  });

  test('is the end of a session that named the event it came after', () => {
    expect(kinds(revoked)).toEqual(['false kill']);
  });

  test('is counted apart where Redis had lost writes', () => {
    expect(check({ ...revoked, losses: [1200] })).toMatchObject({ violations: [], overRevoked: 1 });
  });

  test('is none where the sign-in did not say what it came after', () => {
    const { after: _after, ...hoping } = behind;
    expect(kinds({ ...revoked, grants: [hoping] })).toEqual([]);
  });

  test('is one where the event was effective before the sign-in in any case', () => {
    const { after: _after, ...late } = { ...behind, requestedAt: ACKED_AT + BOUND_MS + 1, receivedAt: 4000 };
    const decisions = [decisionOf({ at: 5000, outcome: 'session_revoked' })];
    expect(kinds({ ...revoked, grants: [late], decisions })).toEqual(['false kill']);
  });
});

describe('sign-ins', () => {
  test('that renew an ended session are found', () => {
    const renewed = grantOf({ version: { s: 1000, t: 0, r: 0 }, requestedAt: 1500, receivedAt: 1510, refreshOf: 0 });
    expect(kinds(historyOf({ grants: [grantOf({}), renewed] }))).toEqual(['ended session renewed']);
  });

  test('that renew the session which the event spared are none', () => {
    const renewed = grantOf({ version: { s: 1000, t: 0, r: 0 }, requestedAt: 1500, receivedAt: 1510, refreshOf: 0 });
    const log = [eventOf({ effects: [{ scope: 'u:alice', ends: true, keeps: 'phone' }] })];
    expect(kinds(historyOf({ grants: [grantOf({}), renewed], log }))).toEqual([]);
  });

  test('of a disabled account are found', () => {
    const log = [eventOf({ effects: [{ scope: 'u:alice', ends: true, blocked: true }] })];
    const late = grantOf({ version: { s: 1000, t: 0, r: 0 }, requestedAt: 4000, receivedAt: 4010 });
    expect(kinds(historyOf({ grants: [grantOf({}), late], log }))).toEqual(['blocked sign-in']);
  });
});

describe('the ways of an event', () => {
  test('a version that fell in Redis is found', () => {
    expect(kinds(historyOf({ falls: [{ scope: 'u:alice', from: 2, to: 1, at: 3 }] }))).toEqual(['version fell']);
  });

  test('an announcement below the fold of the log is found', () => {
    const announced = [announcedOf({ current: 999, floor: 999 }), announcedOf({})];
    expect(kinds(historyOf({ announced }))).toEqual(['announced too low']);
  });

  test('an announcement without the floor is found', () => {
    expect(kinds(historyOf({ announced: [announcedOf({ floor: 0 })] }))).toEqual(['announced too low']);
  });

  test('a tick ahead of an announcement is found', () => {
    const { partition } = eventOf({});
    const announced = [{ partition, tick: 1500, offset: 8 }, announcedOf({})];
    expect(kinds(historyOf({ announced }))).toEqual(['early tick']);
  });

  test('an acknowledged event that is not in the log is found', () => {
    const publications = [publicationOf({}), publicationOf({ id: 'gone', place: { partition: 3, offset: 1 } })];
    expect(kinds(historyOf({ publications }))).toEqual(['event lost']);
  });

  test('an event that is in neither Redis nor session-versions is found twice', () => {
    expect(kinds(historyOf({ stored: new Map(), announced: [] }))).toEqual(['event lost', 'event lost']);
  });

  test('a record that cannot be understood belongs in the rejected topic', () => {
    const poison = publicationOf({ id: 'poison', place: { partition: 3, offset: 1 }, poison: true });
    const history = historyOf({ publications: [publicationOf({}), poison] });
    expect(kinds(history)).toEqual(['event lost']);
    expect(kinds({ ...history, rejected: [{ partition: 3, offset: 1 }] })).toEqual([]);
  });
});

describe('the end', () => {
  test('a sidecar that says something else than the log is found', () => {
    const verdicts = [decisionOf({ outcome: 'session_revoked' }), decisionOf({ member: 'sidecar-2' })];
    expect(kinds(historyOf({ verdicts }))).toEqual(['sidecars disagree']);
  });

  test('a sidecar that rejects for a weaker reason than the log has is none', () => {
    expect(kinds(historyOf({ verdicts: [decisionOf({ outcome: 'session_stale' })] }))).toEqual([]);
  });

  test('a sidecar that does not come back within ten seconds is found', () => {
    expect(kinds(historyOf({ recoveryMs: 10_001 }))).toEqual(['not recovered']);
    expect(kinds({ ...historyOf(), recoveryMs: undefined })).toEqual(['not recovered']);
  });
});
