import type { RevocationReport } from '@curfew/contracts';
import { describe, expect, test } from 'vitest';
import { exposureOf } from '../../../services/console/page/parts/exposure.js';
import { hopsOf } from '../../../services/console/page/parts/hops.js';
import { replicasOf } from '../../../services/console/page/parts/replicas.js';
import { count, duration, list } from '../../../services/console/page/words.js';
import { application, instant, revocationReport } from '../../support/reports.ts';

const AT = Date.parse('2026-11-25T03:12:00Z');

describe('the waterfall of a revocation', () => {
  const bars = (report = revocationReport(AT)) =>
    hopsOf(report).map(({ name, from, to, kind }) => [name, from, to, kind]);

  test('goes from the acknowledgement by way of Redis and the announcement to every sidecar', () => {
    expect(bars()).toEqual([
      ['applied in Redis', 0, 1, 'service'],
      ['announced', 1, 2, 'service'],
      ['orders', 2, 3, 'receipt'],
      ['payments', 2, 4, 'receipt'],
    ]);
  });

  test('ends with the lease of a sidecar that is silent, and is open where one is pending', () => {
    const lease = { ...application(AT, 'orders', 0), by: 'lease', effectiveAt: instant(AT + 1900) } as const;
    const { latencyMs: _latency, effectiveAt: _effective, ...rest } = application(AT, 'payments', 0);
    const sidecars = [lease, { ...rest, effective: false, by: 'pending' } as const];
    expect(bars(revocationReport(AT, { effective: false, sidecars })).slice(2)).toEqual([
      ['orders', 2, 1900, 'lease'],
      ['payments', 2, undefined, 'pending'],
    ]);
  });

  test('begins no bar before the acknowledgement, or after its end, whatever the clocks say', () => {
    const report = revocationReport(AT, {
      appliedAt: instant(AT - 3),
      announcedAt: instant(AT + 9),
      sidecars: [application(AT, 'orders', 4)],
    });
    expect(bars(report)).toEqual([
      ['applied in Redis', 0, 0, 'service'],
      ['announced', 0, 9, 'service'],
      ['orders', 4, 4, 'receipt'],
    ]);
  });
});

describe('what was let through', () => {
  const [orders, payments] = [application(AT, 'orders', 3), application(AT, 'payments', 4)];
  const { exposed: _exposed, ...unsaid } = payments;
  const forgetful = { ...payments, atLeast: true } as const;

  test.each<[string, Partial<RevocationReport>]>([
    ['No request was let through.', {}],
    ['2 requests let through before it was applied.', { exposed: 2 }],
    ['At least 1 request let through before it was applied.', { exposed: 1, atLeast: true }],
    ['No request was let through, as far as is known.', { atLeast: true, sidecars: [orders, forgetful] }],
    ['No request was let through; 1 of 2 sidecars has not said.', { atLeast: true, sidecars: [orders, unsaid] }],
  ])('is told as: %s', (words, otherwise) => expect(exposureOf(revocationReport(AT, otherwise))).toBe(words));
});

describe('words', () => {
  test.each([
    [0, '0 ms'],
    [3.14, '3.1 ms'],
    [42.4, '42 ms'],
    [2000, '2 s'],
    [59_949, '59.9 s'],
    [60_000, '1 min'],
    [125_000, '2 min 5 s'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 min'],
  ])('%s ms is %s', (ms, words) => expect(duration(ms)).toBe(words));

  test('name up to three, and count the rest', () => {
    expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd']].map(list)).toEqual([
      '',
      'a',
      'a and b',
      'a, b and c',
      'a, b and 2 more',
    ]);
    expect([count(1, 'sidecar'), count(2, 'sidecar')]).toEqual(['1 sidecar', '2 sidecars']);
  });
});

test.each([
  ['nothing is told where there was never one', 0, 0, 0, []],
  ['their number, while none is behind', 2, 2, 0, [{ level: 'good', words: '2 of 2 follow' }]],
  ['how far the slowest is behind', 1, 1, 8, [{ level: 'good', words: '1 of 1 follow, the slowest 8 s behind' }]],
  ['a warning of one that is gone', 0, 1, 0, [{ level: 'warning', words: '0 of 1 follow' }]],
  ['no more than that nobody says so', undefined, 1, undefined, [{ level: 'unknown', words: 'says nothing' }]],
])('of the replicas of Redis: %s', (_, replicas, mostReplicas, replicationLagS, told) => {
  expect(replicasOf({ replicas, mostReplicas, replicationLagS })).toMatchObject(told);
});
