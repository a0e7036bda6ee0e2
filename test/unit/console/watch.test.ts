import type { RevocationReport } from '@curfew/contracts';
import { expect, test } from 'vitest';
import { Board } from '../../../services/console/src/board.ts';
import type { Point } from '../../../services/console/src/series.ts';
import { Watch } from '../../../services/console/src/watch.ts';
import { instant, revocationReport } from '../../support/reports.ts';

const START = Date.parse('2026-11-25T03:00:00Z');

/** A watch that is driven by hand, a round a second, and what it asked. */
function createWatch() {
  const told: RevocationReport[] = [];
  const asked: Record<string, string>[] = [];
  const points: (Point | undefined)[] = [];
  let at = START;
  const watch = new Watch({
    board: new Board(),
    sessionService: {
      sidecars: async () => [],
      revocations: async (query) => {
        asked.push({ ...query });
        return told;
      },
      metrics: async () => new Map(),
      notReady: async () => undefined,
    },
    now: () => at,
    onRound: (point) => points.push(point),
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
  return { told, points, rounds, last };
}

test('the first question is for the whole hour, the next ones for what may be new', async () => {
  const { rounds, last } = createWatch();
  await rounds(1);
  expect(last()).toEqual([3600, 'true', '1000']);
  await rounds(1);
  expect(last()).toEqual([15, 'true', '1000']);
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
