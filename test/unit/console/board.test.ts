import type { RevocationReport, SidecarReport } from '@curfew/contracts';
import { describe, expect, test } from 'vitest';
import { Board } from '../../../services/console/src/board.ts';
import type { Point } from '../../../services/console/src/series.ts';
import { application, revocationReport, sidecarReport } from '../../support/reports.ts';

const START = Date.parse('2026-11-25T03:00:00Z');
const S = 1000;

/** A board, and what it is told. */
function createBoard() {
  const board = new Board();
  const hear = (
    now: number,
    told: { sidecars?: SidecarReport[]; revocations?: RevocationReport[]; metrics?: string; notReady?: string } = {},
  ) => {
    const { sidecars = [], revocations = [], metrics = '', notReady } = told;
    board.heard({ sidecars, revocations, metrics: new Map([['a', metrics]]), notReady }, now);
    return board.state(now);
  };
  return { board, hear };
}

const two = (now: number) => [sidecarReport(now), sidecarReport(now, { service: 'payments' })];
const counters = (created: number, logouts: number) =>
  `curfew_sessions_created_total ${created}\ncurfew_sessions_ended_total{reason="logout"} ${logouts}\n`;

describe('propagation', () => {
  test('is what every sidecar took, over the last five minutes, canaries too', () => {
    const { board, hear } = createBoard();
    const at = START - 100 * S;
    // It refused by itself until it woke up: it was not late.
    const asleep = { ...application(at + S, 'payments', 30_000), by: 'lease' } as const;
    const state = hear(START, {
      sidecars: two(START),
      revocations: [
        revocationReport(at, { sidecars: [application(at, 'orders', 2), application(at, 'payments', 40)] }),
        revocationReport(at + S, { canary: true, sidecars: [application(at + S, 'orders', 3), asleep] }),
        revocationReport(START - 301 * S),
      ],
    });
    expect(state.propagation).toEqual({ count: 3, p50: 3, p99: 40, p999: 40 });
    expect(state.sidecars.map(({ propagation }) => propagation?.p99)).toEqual([3, 40]);
    expect(board.state(START + 300 * S).propagation).toEqual({ count: 0 });
  });

  test('of the hour before the console began comes from what the session service remembers', () => {
    const { board } = createBoard();
    board.recall([revocationReport(START - 600 * S)], START);
    const ages = (points: readonly Point[]) => points.map(({ t }) => (START - t) / S);
    const known = ages(board.points.filter(({ p50 }) => p50 !== null));
    expect([known[0], known.at(-1)]).toEqual([600, 305]);
    expect(ages(board.points)).toEqual(Array.from({ length: 120 }, (_, at) => 600 - 5 * at));
    expect(board.points.every(({ created }) => created === null)).toBe(true);
  });
});

describe('sign-ins and ends', () => {
  test('are what the counters rose by, and one that began again counts from nought', () => {
    const { board, hear } = createBoard();
    const points = [counters(10, 4), counters(12, 4), counters(1, 0), ''].map((metrics, at) => {
      hear(START + at * 5 * S, { metrics });
      return board.mark(START + at * 5 * S);
    });
    expect(points.map(({ created }) => created)).toEqual([0, 2, 1, 0]);
    expect(points.map(({ ended }) => ended)).toEqual([{ logout: 0 }, { logout: 0 }, { logout: 0 }, {}]);
  });

  test('are those of each instance, where several answer at one address in turn', () => {
    const { board, hear } = createBoard();
    const answers: [string, number, number][] = [
      ['a', 600, 60],
      ['b', 20, 2],
      ['a', 600, 60],
      ['b', 21, 2],
      ['a', 602, 61],
    ];
    const points = answers.map(([id, created, logouts], at) => {
      const now = START + at * 5 * S;
      hear(now, { metrics: `target_info{service_instance_id="${id}"} 1\n${counters(created, logouts)}` });
      return board.mark(now);
    });
    expect(points.map(({ created }) => created)).toEqual([0, 0, 0, 1, 2]);
    expect(points.map(({ ended }) => ended?.['logout'])).toEqual([0, 0, 0, 0, 1]);
  });

  test('of an instance begin anew where it was not heard for long: nobody knows when they rose', () => {
    const { board, hear } = createBoard();
    const created = (second: number, id: string, count: number) => {
      hear(START + second * S, { metrics: `target_info{service_instance_id="${id}"} 1\n${counters(count, 0)}` });
      return board.mark(START + second * S).created;
    };
    expect([created(0, 'a', 5), created(1, 'b', 7), created(32, 'b', 8), created(33, 'a', 500)]).toEqual([0, 0, 1, 0]);
    expect(created(34, 'a', 502)).toBe(2);
  });

  test('count a reason from its first time on', () => {
    const { board, hear } = createBoard();
    for (const metrics of ['', counters(0, 2), counters(0, 3)]) {
      hear(START, { metrics });
      board.mark(START);
    }
    expect(board.state(START).endsByReason).toEqual({ logout: 3 });
  });

  test('are unknown while the session service does not answer', () => {
    const { board, hear } = createBoard();
    hear(START, { metrics: counters(10, 4) });
    board.missed('the session service does not answer');
    expect(board.mark(START + 5 * S)).toMatchObject({ p50: null, created: null, ended: null });
  });
});

describe('the series', () => {
  test('reaches back an hour', () => {
    const { board, hear } = createBoard();
    hear(START);
    for (let at = 0; at <= 4000; at += 5) board.mark(START + at * S);
    expect(board.points).toHaveLength(721);
  });
});

describe('what was let through', () => {
  test('is the sum of the last hour, and at least that where a sidecar could not tell', () => {
    const { board, hear } = createBoard();
    hear(START, {
      revocations: [
        revocationReport(START - 10 * S, { exposed: 2 }),
        revocationReport(START - 20 * S, { exposed: 3, atLeast: true }),
        revocationReport(START - 5 * S, { canary: true, exposed: 100, atLeast: true }),
      ],
    });
    expect(board.state(START).letThrough).toEqual({ count: 5, atLeast: true });
    hear(START + 3_585 * S, { revocations: [] });
    expect(board.state(START).letThrough).toEqual({ count: 2, atLeast: false });
  });
});

test('what sidecars said is forgotten when it is measured no more, and what was let through is not', () => {
  const { board, hear } = createBoard();
  hear(START, { revocations: [revocationReport(START - S, { exposed: 2 })] });
  hear(START + 300 * S);
  expect(board.state(START).propagation.count).toBe(0);
  expect(board.state(START).letThrough.count).toBe(2);
});

describe('a revocation that is reported again', () => {
  test('is shown as it is by now, once, and apart from canaries', () => {
    const { hear } = createBoard();
    const at = START - S;
    const canary = revocationReport(at + 10, { canary: true });
    hear(START, { revocations: [revocationReport(at, { effective: false }), canary] });
    const state = hear(START + S, { revocations: [revocationReport(at)] });
    expect(state.revocations.map(({ id, effective }) => [id, effective])).toEqual([[`event-${at}`, true]]);
    expect(state.lastCanary?.id).toBe(canary.id);
  });
});

describe('a sidecar', () => {
  test('that the session service has forgotten without a goodbye is gone, for an hour', () => {
    const { hear } = createBoard();
    hear(START, { sidecars: two(START) });
    const states = (now: number) => hear(now, { sidecars: [sidecarReport(now)] }).sidecars.map(({ state }) => state);
    expect(states(START + 60 * S)).toEqual(['live', 'gone']);
    expect(states(START + 3600 * S)).toEqual(['live']);
  });

  test('that closed is not', () => {
    const { hear } = createBoard();
    hear(START, { sidecars: [sidecarReport(START, { state: 'closed' })] });
    expect(hear(START + S).sidecars).toEqual([]);
  });

  test('that comes back is there again', () => {
    const { hear } = createBoard();
    hear(START, { sidecars: two(START) });
    hear(START + S, { sidecars: [sidecarReport(START + S)] });
    expect(hear(START + 2 * S, { sidecars: two(START + 2 * S) }).sidecars.map(({ state }) => state)).toEqual([
      'live',
      'live',
    ]);
  });
});

describe('Redis and the log', () => {
  test('are as the instances of the session service see them together', () => {
    const board = new Board();
    const metrics = (applied: number, memory: number) =>
      `curfew_events_applied_total ${applied}\ncurfew_store_used_memory ${memory}\n` +
      'curfew_store_duration_sum{operation="a"} 0.006\ncurfew_store_duration_count{operation="a"} 4\n';
    const both = new Map([
      ['a', metrics(3, 100)],
      ['b', metrics(4, 90)],
    ]);
    board.heard({ sidecars: [], revocations: [], metrics: both, notReady: undefined }, START);
    const { store } = board.state(START);
    expect(store).toMatchObject({ eventsApplied: 7, usedMemoryBytes: 100, operationMs: 1.5, evicting: undefined });
  });

  test('tell of a replica that is gone, though an instance without Redis says what it saw last', () => {
    const board = new Board();
    const storeAt = (second: number, replicas: number[]) => {
      const now = START + second * S;
      const metrics = new Map(replicas.map((count, at) => [`${at}`, `curfew_store_replicas ${count}\n`]));
      board.heard({ sidecars: [], revocations: [], metrics, notReady: undefined }, now);
      return board.state(now).store;
    };
    expect(storeAt(0, [2, 2])).toMatchObject({ replicas: 2, mostReplicas: 2 });
    expect(storeAt(1, [2, 1])).toMatchObject({ replicas: 1, mostReplicas: 2 });
    expect(storeAt(32, [])).toMatchObject({ replicas: undefined, mostReplicas: 2 });
    expect(storeAt(86_399, [1])).toMatchObject({ replicas: 1, mostReplicas: 2 });
    expect(storeAt(86_401, [1])).toMatchObject({ replicas: 1, mostReplicas: 1 });
  });
});

test('what was heard stands for what is no longer than five seconds, should the console itself stand still', () => {
  const { board, hear } = createBoard();
  hear(START, { sidecars: two(START) });
  expect(board.state(START + 5 * S).headline.level).toBe('good');
  const { headline, hearing } = board.state(START + 5 * S + 1);
  expect([headline.level, hearing.failure]).toEqual(['unknown', 'The session service was not heard of late']);
  expect(hear(START + 30 * S, { sidecars: two(START + 30 * S) }).headline.level).toBe('good');
});
