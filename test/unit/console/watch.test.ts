import type { RevocationReport } from '@curfew/contracts';
import { expect, test, vi } from 'vitest';
import { Board } from '../../../services/console/src/board.ts';
import type { Point } from '../../../services/console/src/series.ts';
import { Watch } from '../../../services/console/src/watch.ts';
import { instant, revocationReport } from '../../support/reports.ts';

const START = Date.parse('2026-11-25T03:00:00Z');

/** A watch that is driven by hand, a round a second, and what it asked. */
function createWatch() {
  const told: RevocationReport[] = [];
  const asked: Record<string, string>[] = [];
  /** When the whole hour was asked for, and what it was answered. */
  const recalls: number[] = [];
  const hour: { answer: () => Promise<readonly RevocationReport[]> } = { answer: async () => [] };
  let recalled = 0;
  const byId = new Map<string, RevocationReport>();
  const askedById: string[] = [];
  const points: (Point | undefined)[] = [];
  let at = START;
  const board = new Board();
  const watch = new Watch({
    board,
    sessionService: {
      sidecars: async () => [],
      revocations: async (query, timeoutMs) => {
        if (timeoutMs !== undefined) {
          recalls.push((at - Date.parse(query['since'] ?? '')) / 1000);
          return hour.answer();
        }
        asked.push({ ...query });
        return told;
      },
      revocation: async (id) => {
        askedById.push(id);
        return byId.get(id);
      },
      metrics: async () => new Map(),
      notReady: async () => undefined,
    },
    now: () => at,
    onRound: (point) => points.push(point),
    onRecall: () => recalled++,
  });
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round++) {
      await watch.round();
      at += 1000;
    }
  };
  const last = () => {
    const { since = '', canaries, limit } = asked.at(-1) ?? {};
    return [(at - 1000 - Date.parse(since)) / 1000, canaries, limit];
  };
  return { told, byId, askedById, board, points, rounds, last, hour, recalls, recalled: () => recalled };
}

test('each round asks for what may be new', async () => {
  const { rounds, last } = createWatch();
  await rounds(2);
  expect(last()).toEqual([15, 'true', '1000']);
});

test('the whole hour is asked for until it is answered, and no round waits for it', async () => {
  const { board, hour, recalls, recalled, rounds } = createWatch();
  hour.answer = () => Promise.reject(new Error('too slow'));
  await rounds(2);
  let answer: (reports: readonly RevocationReport[]) => void = () => {};
  hour.answer = () => new Promise((resolve) => (answer = resolve));
  await rounds(10);
  expect(recalls).toEqual([3600, 3600, 3600]);
  expect(recalled()).toBe(0);
  answer([revocationReport(START - 600_000)]);
  await vi.waitFor(() => expect(recalled()).toBe(1));
  expect(board.points.filter(({ p50 }) => p50 !== null).map(({ t }) => t)).not.toEqual([]);
  expect(board.points.map(({ t }) => t)).toEqual(board.points.map(({ t }) => t).toSorted((a, b) => a - b));
  await rounds(3);
  expect(recalls).toHaveLength(3);
});

test('an hour that was answered late makes nothing pending that has become effective meanwhile', async () => {
  const { told, board, hour, rounds, recalled } = createWatch();
  const revocation = revocationReport(START - 3000);
  told.push(revocation);
  let answer: (reports: readonly RevocationReport[]) => void = () => {};
  hour.answer = () => new Promise((resolve) => (answer = resolve));
  await rounds(2);
  answer([{ ...revocation, effective: false }]);
  await vi.waitFor(() => expect(recalled()).toBe(1));
  expect(board.state(START + 2000).revocations.map(({ effective }) => effective)).toEqual([true]);
});

test('a revocation that is pending is asked for again, however long ago it was', async () => {
  const { told, rounds, last } = createWatch();
  told.push(revocationReport(START - 120_000, { effective: false }));
  await rounds(2);
  expect(last()).toEqual([121.001, 'true', '1000']);
  told.splice(0, 1, { ...revocationReport(START - 120_000), effectiveAt: instant(START) });
  await rounds(2);
  expect(last()).toEqual([15, 'true', '1000']);
});

test('a revocation that is pending is asked for by its id where a thousand are newer, until it is effective', async () => {
  const { told, byId, askedById, board, rounds } = createWatch();
  const pending = revocationReport(START - 10_000, { id: 'pending', effective: false, sidecars: [] });
  told.push(pending);
  await rounds(1);
  told.splice(0, 1, ...Array.from({ length: 1000 }, (_, i) => revocationReport(START - 5000 + i, { id: `${i}` })));
  await rounds(2);
  expect(askedById).toEqual(['pending', 'pending']);
  expect(board.state(START + 3000).headline.text).toBe('1 revocation not proven effective anywhere');
  byId.set('pending', { ...pending, effective: true });
  await rounds(2);
  expect(askedById).toHaveLength(3);
  expect(board.state(START + 3000).headline.level).not.toBe('bad');
});

test('twice a minute all is asked for that is no canary: some are announced late', async () => {
  const { rounds, last } = createWatch();
  await rounds(31);
  expect(last()).toEqual([3600, 'false', '200']);
  await rounds(30);
  expect(last()).toEqual([3600, 'false', '200']);
});

test('a point of the series ends every five seconds', async () => {
  const { points, rounds } = createWatch();
  await rounds(11);
  expect(points.flatMap((point, round) => (point ? [[round, point.t - START]] : []))).toEqual([
    [5, 5000],
    [10, 10_000],
  ]);
});
