import { CurfewError } from '@curfew/contracts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Fleet } from '../../../../services/session-service/src/receipts/fleet.ts';
import type { Report } from '../../../../services/session-service/src/receipts/open-revocation.ts';
import { Reports } from '../../../../services/session-service/src/receipts/reports.ts';
import { MemoryLedger } from '../../../support/memory-ledger.ts';
import { applied, BOUND, receiptOf, revocationOf, SKEW } from '../../../support/receipts.ts';

const E = 1_000_000_000;
const LIMITS = { limitMs: 10_000, announcedWithinMs: 1000 };

let ledger: MemoryLedger;
let complete: boolean;
let effective: Report[];
const warn = vi.fn();
let reports: Reports;

const instance = (ofLedger = ledger) =>
  new Reports({
    fleet: new Fleet(),
    ledger: ofLedger,
    boundMs: BOUND,
    now: Date.now,
    isComplete: () => complete,
    onEffective: (report) => effective.push(report),
    warn,
  });
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
/** A report, once it is there. */
function awaited(id = 'jti', limits = LIMITS, of = reports) {
  const seen: { report?: Report | undefined; at?: number } = {};
  void of.whenEffective(id, limits).then((report) => Object.assign(seen, { report, at: Date.now() - E }));
  return seen;
}

beforeEach(() => {
  vi.useFakeTimers({ now: E });
  ledger = new MemoryLedger();
  complete = true;
  effective = [];
  warn.mockClear();
  reports = instance();
  for (const name of ['a', 'b']) reports.heard(receiptOf(name, E - 500));
});
afterEach(() => {
  reports.close();
  vi.useRealTimers();
});

describe('whoever waits for a revocation', () => {
  test('is answered as soon as the last sidecar says that it has applied it', async () => {
    reports.announced([revocationOf(E)]);
    const seen = awaited();
    await pass(10);
    reports.heard(receiptOf('a', E + 10, { applied: [applied(E + 5, { exposed: 3 })] }));
    await pass(10);
    expect(seen.report).toBeUndefined();
    reports.heard(receiptOf('b', E + 20, { applied: [applied(E + 15, { exposed: 1 })] }));
    await pass(0);
    expect(seen).toMatchObject({ at: 20, report: { effective: true, effectiveAt: E + 15 } });
    expect(effective).toMatchObject([{ effectiveAt: E + 15 }]);
  });

  test('is answered when the lease of a silent sidecar has run out, and not before', async () => {
    reports.announced([revocationOf(E)]);
    const seen = awaited();
    await pass(700);
    reports.heard(receiptOf('a', E + 700, { tick: E + SKEW }));
    reports.heard(receiptOf('b', E + 700));
    await pass(BOUND + 10);
    expect(seen).toMatchObject({ at: 700 + BOUND, report: { effective: true, effectiveAt: E + 700 + BOUND } });
    expect(seen.report?.outcomes.map(({ by }) => by)).toEqual(['receipt', 'lease']);
  });

  test('is answered at the end of a lease, whoever else has spoken since', async () => {
    reports.announced([revocationOf(E)]);
    const seen = awaited();
    reports.heard(receiptOf('a', E + 1000));
    reports.heard(receiptOf('b', E + 1900));
    await pass(2100);
    reports.heard(receiptOf('b', E + 2100, { applied: [applied(E + 2050)] }));
    await pass(2000);
    expect(seen).toMatchObject({ at: 1000 + BOUND, report: { effective: true } });
  });

  test('is told who has not, when the time is over', async () => {
    reports.announced([revocationOf(E)]);
    reports.heard(receiptOf('a', E, { applied: [applied(E)] }));
    const seen = awaited('jti', { ...LIMITS, limitMs: 300 });
    await pass(300);
    expect(seen).toMatchObject({ at: 300, report: { effective: false } });
    expect(seen.report?.outcomes.map(({ by }) => by)).toEqual(['receipt', 'pending']);
  });

  test('is answered about the newest of that name, and no sooner because another comes', async () => {
    reports.announced([revocationOf(E)]);
    const seen = awaited();
    await pass(50);
    reports.announced([revocationOf(E, { offset: 6 })]);
    await pass(50);
    expect(seen.report).toBeUndefined();
    for (const name of ['a', 'b'])
      reports.heard(receiptOf(name, E + 100, { applied: [applied(E + 90, { offset: 6 })] }));
    await pass(0);
    expect(seen).toMatchObject({ at: 100, report: { effective: true, revocation: { offset: 6 } } });
  });

  test('may come before it is announced, here or by another instance', async () => {
    const [here, there] = [awaited('here'), awaited('there')];
    const other = instance();
    for (const of of [reports, other]) {
      of.heard(receiptOf('a', E + 10, { tick: E + SKEW }));
      of.heard(receiptOf('b', E + 10, { tick: E + SKEW }));
    }
    await pass(120);
    reports.announced([revocationOf(E, { id: 'here' })]);
    await pass(10);
    other.announced([revocationOf(E, { id: 'there' })]);
    expect(here).toMatchObject({ at: 120, report: { effective: true } });
    await pass(100);
    expect(there).toMatchObject({ at: 200, report: { effective: true } });
    other.close();
  });

  test('asks the ledger for what others announce only now and then, however much is announced here', async () => {
    const read = vi.spyOn(ledger, 'read');
    const seen = awaited('nobody knows');
    for (let i = 0; i < 100; i++) {
      reports.announced([revocationOf(E + i, { id: `jti ${i}`, offset: 5 + i })]);
      await pass(1);
    }
    expect(read.mock.calls.length).toBeLessThanOrEqual(3);
    await pass(1100);
    expect(seen).toMatchObject({ report: undefined });
  });

  test('hears of none in the end', async () => {
    const seen = awaited('nobody knows');
    await pass(1100);
    expect(seen).toMatchObject({ report: undefined, at: 1000 });
  });

  test('is answered when the service stops', async () => {
    reports.announced([revocationOf(E)]);
    const seen = [awaited(), awaited('nobody knows')];
    await pass(10);
    reports.close();
    await pass(0);
    expect(seen).toMatchObject([{ at: 10, report: { effective: false } }, { at: 10 }]);
  });
});

describe('a revocation', () => {
  test('is another than an earlier one of the same id, which was applied before', async () => {
    reports.announced([revocationOf(E)]);
    for (const name of ['a', 'b']) reports.heard(receiptOf(name, E + 10, { applied: [applied(E + 5)] }));
    await pass(20);
    reports.announced([revocationOf(E + 20, { offset: 9 })]);
    const seen = awaited();
    await pass(30);
    expect(seen.report).toBeUndefined();
    for (const name of ['a', 'b'])
      reports.heard(receiptOf(name, E + 60, { applied: [applied(E + 55, { offset: 9 })] }));
    await pass(0);
    expect(seen.report).toMatchObject({ effective: true, effectiveAt: E + 55, revocation: { offset: 9 } });
  });

  test('is another than an earlier one of the same id that is under way', async () => {
    reports.announced([revocationOf(E)]);
    reports.announced([revocationOf(E, { offset: 9 })]);
    const seen = awaited();
    for (const name of ['a', 'b']) reports.heard(receiptOf(name, E + 10, { applied: [applied(E + 5)] }));
    await pass(20);
    expect(seen.report).toBeUndefined();
  });

  test('is another than an earlier one of the same id of another partition, for every instance that is asked', async () => {
    const other = instance();
    for (const of of [reports, other])
      for (const name of ['a', 'b']) of.heard(receiptOf(name, E + 10, { applied: [applied(E + 5)] }));
    for (const effective of [true, false]) {
      reports.announced([revocationOf(E, effective ? {} : { partition: 3 })]);
      await pass(0);
      for (const of of [reports, other]) expect(await of.report('jti')).toMatchObject({ effective });
    }
    other.close();
  });

  test('is asked for by the newest event of its id, also where an earlier one was under way here', async () => {
    const other = instance();
    for (const name of ['a', 'b']) other.heard(receiptOf(name, E - 500));
    reports.announced([revocationOf(E)]);
    await pass(0);
    expect(await other.report('jti')).toMatchObject({ revocation: { offset: 5 } });
    reports.announced([revocationOf(E, { offset: 9 })]);
    await pass(0);
    expect(await other.report('jti')).toMatchObject({ revocation: { offset: 9 } });
    other.close();
  });

  test('that is announced again once all is known of it stays as it was, and is measured once', async () => {
    reports.announced([revocationOf(E)]);
    for (const name of ['a', 'b'])
      reports.heard(receiptOf(name, E + 40, { applied: [applied(E + 2, { exposed: 1 })] }));
    await pass(0);
    const told = await reports.report('jti');
    await pass(600_000);
    for (const name of ['a', 'b']) reports.heard(receiptOf(name, Date.now()));
    reports.announced([revocationOf(E, { announcedAt: Date.now() })]);
    await pass(0);
    expect(await reports.report('jti')).toEqual(told);
    for (const name of ['a', 'b']) reports.heard(receiptOf(name, Date.now() + 1, { tick: Date.now() }));
    await pass(BOUND + 10);
    expect(await reports.report('jti')).toEqual(told);
    expect(effective).toHaveLength(1);
  });

  test('that is announced again while a sidecar has yet to say what it let through is asked further', async () => {
    reports.announced([revocationOf(E)]);
    for (const name of ['a', 'b']) reports.heard(receiptOf(name, E + 400, { tick: E + SKEW }));
    await pass(0);
    reports.announced([revocationOf(E)]);
    await pass(0);
    for (const name of ['a', 'b'])
      reports.heard(receiptOf(name, E + 450, { applied: [applied(E + 2, { exposed: 1 })] }));
    await pass(0);
    expect((await instance().report('jti'))?.outcomes).toMatchObject([{ exposed: 1 }, { exposed: 1 }]);
  });

  test('takes the bound where no sidecar counts: services that say nothing have one too', async () => {
    reports.close();
    reports = instance();
    reports.announced([revocationOf(E)]);
    const seen = awaited();
    await pass(BOUND + 10);
    expect(seen).toMatchObject({ at: BOUND, report: { effective: true, effectiveAt: E + BOUND, outcomes: [] } });
  });

  test('is not said to be effective before its lease because the broker has another clock', async () => {
    reports.heard(receiptOf('c', E - 61_000));
    reports.announced([revocationOf(E - 60_000, { announcedAt: E })]);
    const seen = awaited();
    await pass(BOUND + 10);
    expect(seen).toMatchObject({ at: BOUND, report: { effective: true } });
    expect(seen.report?.outcomes.map(({ by }) => by)).toEqual(['lease', 'lease', 'lease']);
  });

  test('is looked at seldom also where the broker dates it years ahead', async () => {
    const looks = vi.spyOn(Fleet.prototype, 'sidecars');
    reports.announced([revocationOf(E + 5 * 365 * 86_400_000)]);
    await pass(1000);
    expect(looks.mock.calls.length).toBeLessThan(10);
    looks.mockRestore();
  });

  test('is not said to be effective by silence while receipts are not read', async () => {
    complete = false;
    reports.announced([revocationOf(E)]);
    const seen = awaited();
    await pass(5000);
    expect(seen.report).toBeUndefined();
    for (const name of ['a', 'b']) reports.heard(receiptOf(name, E + 4000, { applied: [applied(E + 1)] }));
    complete = true;
    await pass(200);
    expect(seen.report?.outcomes.map(({ by }) => by)).toEqual(['receipt', 'receipt']);
  });

  test('is not said to be effective by the absence of sidecars either while receipts are not read', async () => {
    complete = false;
    reports.close();
    reports = instance();
    reports.announced([revocationOf(E)]);
    const seen = awaited();
    await pass(5000);
    expect(seen.report).toBeUndefined();
  });

  test('tells at least what was let through where a sidecar closed without saying it, here and elsewhere', async () => {
    reports.announced([revocationOf(E)]);
    reports.heard(receiptOf('a', E + 10, { state: 'closed' }));
    reports.heard(receiptOf('b', E + 40, { applied: [applied(E + 2)] }));
    for (const of of [reports, instance()])
      expect(await of.report('jti')).toMatchObject({
        effective: true,
        revocation: { atLeast: true },
        outcomes: [{ instance: 'b', exposed: 0 }],
      });
  });

  test.each([
    ['before the event', receiptOf('a', E - 1, { state: 'closed' })],
    ['once it had said it', receiptOf('a', E + 10, { state: 'closed', applied: [applied(E + 2)] })],
  ])('tells exactly what was let through where a sidecar closed %s', async (_when, last) => {
    reports.heard(last);
    reports.announced([revocationOf(E)]);
    reports.heard(receiptOf('b', E + 40, { applied: [applied(E + 2)] }));
    expect((await reports.report('jti'))?.revocation).not.toHaveProperty('atLeast');
  });

  test('is told by an instance that was started since, as it was', async () => {
    reports.announced([revocationOf(E)]);
    for (const name of ['a', 'b'])
      reports.heard(receiptOf(name, E + 40, { applied: [applied(E + 2, { exposed: 1 })] }));
    const told = await reports.report('jti');
    expect(await instance().report('jti')).toEqual({ ...told, revocation: ledger.kept.get('jti') });
    expect(told).toMatchObject({ effective: true, effectiveAt: E + 2 });
  });

  test('that is effective by a lease also tells what the sidecar let through, once it says it', async () => {
    reports.announced([revocationOf(E)]);
    reports.heard(receiptOf('a', E + 40, { applied: [applied(E + 2)] }));
    await pass(60_000);
    expect(effective).toHaveLength(1);
    reports.heard(receiptOf('b', E + 60_000, { applied: [applied(E + 59_000, { exposed: 4 })] }));
    await pass(0);
    expect((await instance().report('jti'))?.outcomes).toMatchObject([{ exposed: 0 }, { by: 'lease', exposed: 4 }]);
    expect(effective).toHaveLength(1);
  });

  test('waits for what was let through where its receipt could not name it, which says nothing of that meanwhile', async () => {
    reports.announced([revocationOf(E)]);
    for (const name of ['a', 'b']) reports.heard(receiptOf(name, E + 400, { tick: E + SKEW }));
    const told = await reports.report('jti');
    expect(told).toMatchObject({ effective: true, effectiveAt: E + 400 });
    expect(told?.outcomes.map(({ exposed }) => exposed)).toEqual([undefined, undefined]);
    for (const name of ['a', 'b']) reports.heard(receiptOf(name, E + 460, { tick: E + SKEW }));
    expect(await reports.report('jti')).toEqual(told);
    for (const name of ['a', 'b'])
      reports.heard(receiptOf(name, E + 490, { applied: [applied(E + 5, { exposed: 7 })] }));
    await pass(0);
    expect(await instance().report('jti')).toMatchObject({
      effectiveAt: E + 5,
      outcomes: [
        { by: 'receipt', exposed: 7 },
        { by: 'receipt', exposed: 7 },
      ],
    });
    expect(effective).toHaveLength(1);
  });

  test('of which a sidecar could say nothing for a minute is effective by its lease, and not before', async () => {
    reports.heard(receiptOf('mute', E - 61_000));
    reports.announced([revocationOf(E)]);
    for (const name of ['a', 'b']) reports.heard(receiptOf(name, E + 40, { applied: [applied(E + 2)] }));
    const seen = awaited();
    await pass(BOUND + 10);
    expect(seen).toMatchObject({ at: BOUND, report: { effective: true, effectiveAt: E + BOUND } });
    expect(seen.report?.outcomes).toMatchObject([
      { by: 'receipt' },
      { by: 'receipt' },
      { by: 'lease', silentSince: E - 61_000 },
    ]);
  });

  test('stays effective when a sidecar is heard of only then', async () => {
    reports.announced([revocationOf(E)]);
    reports.heard(receiptOf('a', E, { applied: [applied(E)] }));
    await pass(BOUND);
    reports.heard(receiptOf('late', E - 100));
    reports.heard(receiptOf('late', E + BOUND - 100));
    expect(await reports.report('jti')).toMatchObject({ effective: true, effectiveAt: E + BOUND });
  });

  test('that another instance announced is not counted here', async () => {
    await ledger.add([revocationOf(E)]);
    for (const name of ['a', 'b']) reports.heard(receiptOf(name, E + 40, { applied: [applied(E + 2)] }));
    expect(await reports.report('jti')).toMatchObject({ effective: true });
    expect(effective).toEqual([]);
  });

  test('is announced and told of although the ledger cannot keep it, with a warning', async () => {
    const away = async () => {
      throw new CurfewError('store_unavailable');
    };
    Object.assign(ledger, { add: away, settle: away });
    reports.announced([revocationOf(E)]);
    const seen = awaited();
    for (const name of ['a', 'b']) reports.heard(receiptOf(name, E + 40, { applied: [applied(E + 2)] }));
    await pass(0);
    expect(seen.report).toMatchObject({ effective: true });
    expect(warn).toHaveBeenCalledTimes(2);
  });

  test('is listed, with what it names and when; canaries only where they are asked for', async () => {
    reports.announced([
      revocationOf(E, { id: 'of alice' }),
      revocationOf(E + 1, { id: 'of a session', scopes: ['s:laptop'] }),
      revocationOf(E + 2, { id: 'canary', canary: true }),
    ]);
    const listed = async (wanted: object) =>
      (await reports.list({ limit: 10, canaries: false, since: 0, scopes: [], ...wanted })).reports.map(
        ({ revocation }) => revocation.id,
      );
    expect(await listed({})).toEqual(['of a session', 'of alice']);
    expect(await listed({ canaries: true, limit: 2 })).toEqual(['canary', 'of a session']);
    expect(await listed({ scopes: ['u:alice'] })).toEqual(['of alice']);
    expect(await listed({ since: E })).toEqual(['of a session']);
  });
});

test('what nobody waits for any more is not kept open for them', async () => {
  reports.announced([revocationOf(E)]);
  awaited('jti', { ...LIMITS, limitMs: 100 });
  await pass(110);
  reports.announced(Array.from({ length: 1000 }, (_, i) => revocationOf(E, { id: `jti-${i}`, offset: 6 + i })));
  for (const name of ['a', 'b']) reports.heard(receiptOf(name, E + 400, { tick: E + SKEW }));
  expect(effective).toHaveLength(1000);
  expect(effective.map(({ revocation }) => revocation.id)).not.toContain('jti');
});

test('whoever waits is answered no sooner because a thousand others are announced', async () => {
  reports.announced([revocationOf(E)]);
  const seen = [awaited(), awaited('jti', { ...LIMITS, limitMs: 300 })];
  await pass(0);
  reports.announced(Array.from({ length: 1500 }, (_, i) => revocationOf(E, { id: `jti-${i}`, offset: 6 + i })));
  await pass(310);
  expect(seen).toMatchObject([{}, { at: 300, report: { effective: false } }]);
  expect(seen[0]).not.toHaveProperty('at');
  for (const name of ['a', 'b']) reports.heard(receiptOf(name, E + 320, { applied: [applied(E + 5)], tick: E + SKEW }));
  await pass(0);
  expect(seen[0]).toMatchObject({ at: 310, report: { effective: true, effectiveAt: E + 5 } });
  expect(effective).toHaveLength(1000);
});

test('a thousand open revocations are the most: the oldest is joined again when it is asked for', async () => {
  const all = Array.from({ length: 1001 }, (_, i) => revocationOf(E, { id: `jti-${i}` }));
  reports.announced(all);
  reports.heard(receiptOf('a', E + 400, { tick: E + SKEW }));
  reports.heard(receiptOf('b', E + 400, { tick: E + SKEW }));
  expect(effective).toHaveLength(1000);
  expect(await reports.report('jti-0')).toMatchObject({ effective: true });
});
