import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fleet, type HeardReceipt, stateOf } from '../../../../services/session-service/src/receipts/fleet.ts';
import { outcomeOf } from '../../../../services/session-service/src/receipts/outcome.ts';
import type { Outcome } from '../../../../services/session-service/src/receipts/revocation.ts';
import { applied, BOUND, receiptOf, revocationOf, SKEW } from '../../../support/receipts.ts';

/** When the event was acknowledged; sidecars began before, unless they say otherwise. */
const E = 100_000;
const revocation = revocationOf(E);

function heard(...receipts: HeardReceipt[]): Fleet {
  const fleet = new Fleet();
  for (const receipt of receipts) fleet.hear(receipt);
  return fleet;
}

const outcomesOf = (fleet: Fleet, now: number): Outcome[] =>
  fleet
    .sidecars(now)
    .map((sidecar) => outcomeOf(revocation, sidecar, now))
    .filter((outcome) => outcome !== undefined);
const byWhat = (fleet: Fleet, now: number) => outcomesOf(fleet, now).map(({ by }) => by);
const before = receiptOf('a', E - 500);

describe('a revocation is effective on a sidecar', () => {
  test('that says that it has applied it, since then', () => {
    const fleet = heard(before, receiptOf('a', E + 40, { applied: [applied(E + 3, { exposed: 7, atLeast: true })] }));
    expect(outcomesOf(fleet, E + 50)).toEqual([
      {
        service: 'orders',
        instance: 'a',
        state: 'live',
        by: 'receipt',
        effectiveAt: E + 3,
        appliedAt: E + 3,
        exposed: 7,
        atLeast: true,
      },
    ]);
  });

  test('that has applied a tick of the same partition from after it, since it said so', () => {
    const fleet = heard(before, receiptOf('a', E + 900, { tick: E + SKEW }));
    expect(outcomesOf(fleet, E + 950)).toMatchObject([{ by: 'receipt', effectiveAt: E + 900 }]);
    expect(outcomesOf(fleet, E + 950)[0]).not.toHaveProperty('appliedAt');
  });

  test('that applied it before the event was acknowledged, by its clock, since the acknowledgement', () => {
    const fleet = heard(before, receiptOf('a', E + 40, { applied: [applied(E - 30)] }));
    expect(outcomesOf(fleet, E + 50)).toMatchObject([{ effectiveAt: E, appliedAt: E }]);
  });

  test('that is silent, exactly when its lease has run out', () => {
    const fleet = heard(before, receiptOf('a', E + 300));
    expect(byWhat(fleet, E + 300 + BOUND - 1)).toEqual(['pending']);
    expect(outcomesOf(fleet, E + 300 + BOUND)).toMatchObject([
      { by: 'lease', effectiveAt: E + 300 + BOUND, silentSince: E + 300, state: 'silent' },
    ]);
  });

  test('that was silent for its bound, also when it speaks again without having applied it', () => {
    const fleet = heard(before, receiptOf('a', E + 30_000, { state: 'behind' }));
    expect(outcomesOf(fleet, E + 30_001)).toMatchObject([{ by: 'lease', effectiveAt: E + BOUND, state: 'behind' }]);
    fleet.hear(receiptOf('a', E + 31_000, { applied: [applied(E + 30_500, { exposed: 2 })] }));
    expect(outcomesOf(fleet, E + 31_001)).toMatchObject([{ by: 'lease', appliedAt: E + 30_500, exposed: 2 }]);
  });

  test('and not on one that speaks and does not say it, for however long', () => {
    const fleet = heard(
      ...Array.from({ length: 20 }, (_, i) => receiptOf('a', E - 500 + i * 1000, { tick: E + SKEW - 1 })),
    );
    expect(byWhat(fleet, E + 19_000)).toEqual(['pending']);
  });

  test('not before the bound after its acknowledgement, however long the sidecar was silent before', () => {
    const fleet = heard(receiptOf('a', E - 500_000));
    expect(byWhat(fleet, E + BOUND - 1)).toEqual(['pending']);
    expect(outcomesOf(fleet, E + BOUND)).toMatchObject([{ by: 'lease', silentSince: E - 500_000 }]);
  });

  test('that says a bound after the event that its view is older than that, and not sooner', () => {
    const cutOff = (at: number, ageMs = BOUND + 1) =>
      receiptOf('a', at, { state: 'cut-off', partitions: [{ offset: 4, tick: at - ageMs, ageMs }] });
    expect(byWhat(heard(before, cutOff(E + BOUND - 1)), E + BOUND + 1)).toEqual(['pending']);
    expect(byWhat(heard(before, receiptOf('a', E + 500), cutOff(E + BOUND, BOUND)), E + BOUND + 1)).toEqual([
      'pending',
    ]);
    const [outcome] = outcomesOf(heard(before, receiptOf('a', E + 500), cutOff(E + BOUND)), E + BOUND + 1);
    expect(outcome).toMatchObject({ by: 'lease', state: 'cut-off', effectiveAt: E + BOUND });
    expect(outcome).not.toHaveProperty('silentSince');
  });

  test('that says a bound after the event that it has no view at all', () => {
    const fleet = heard(before, ...[500, 1500, 2500].map((ms) => receiptOf('a', E + ms, { partitions: [] })));
    expect(byWhat(fleet, E + 2600)).toEqual(['lease']);
  });

  test('and not by a later place in a log, which may have been made anew since', () => {
    const view = { offset: 5000, tick: E - 700, ageMs: 1350 };
    const fleet = heard(before, receiptOf('a', E + 400, { partitions: [view] }));
    expect(byWhat(fleet, E + 410)).toEqual(['pending']);
  });

  test('that has applied a tick from after it, however little a log holds that was made anew', () => {
    const view = (at: number) => ({ offset: 1, tick: at - 100, ageMs: 350 });
    const says = (at: number) => receiptOf('a', at, { partitions: [view(at)] });
    expect(byWhat(heard(before, says(E + 349)), E + 400)).toEqual(['pending']);
    expect(byWhat(heard(before, says(E + 350)), E + 400)).toEqual(['receipt']);
  });

  test('and not by a tick from the future, whose lead is in the age of the view', () => {
    const view = { offset: 4, tick: E + 300_000, ageMs: 401 };
    expect(byWhat(heard(before, receiptOf('a', E + 400, { partitions: [view] })), E + 410)).toEqual(['pending']);
    const later = receiptOf('a', E + 401, { partitions: [view] });
    expect(byWhat(heard(before, later), E + 410)).toEqual(['receipt']);
  });

  test('and not by a tick that it has told of before the announcement, which another clock dates', () => {
    const [sidecar] = heard(receiptOf('a', E + 400, { tick: E + SKEW })).sidecars(E + 500);
    const late = revocationOf(E, { announcedAt: E + 401 });
    expect(sidecar && outcomeOf(late, sidecar, E + 500)).toMatchObject({ by: 'pending' });
  });
});

describe.each([-3_600_000, -61_000, 61_000, 3_600_000])('a sidecar whose clock is off by %i ms', (offMs) => {
  const said = (heardAt: number, members: Parameters<typeof receiptOf>[2] = {}) =>
    receiptOf('a', heardAt + offMs, { heardAt, startedAt: E - 500 + offMs, ...members });

  test('counts as any other: by what it says', () => {
    const event = applied(E + 3 + offMs, { since: E + offMs, exposed: 7 });
    const fleet = heard(said(E - 500), said(E + 40, { applied: [event] }));
    expect(fleet.present(E + 50)).toHaveLength(1);
    expect(outcomesOf(fleet, E + 50)).toMatchObject([
      { by: 'receipt', state: 'live', effectiveAt: E + 3, appliedAt: E + 3, exposed: 7 },
    ]);
    expect(outcomesOf(fleet, E + 50)[0]).not.toHaveProperty('atLeast');
  });

  test('has let through at least what it counted where it began to count after the acknowledgement', () => {
    const event = applied(E + 3 + offMs, { since: E + 1 + offMs, exposed: 7 });
    const fleet = heard(said(E - 500), said(E + 40, { applied: [event] }));
    expect(outcomesOf(fleet, E + 50)).toMatchObject([{ exposed: 7, atLeast: true }]);
  });

  test('counts as any other: by its silence', () => {
    const fleet = heard(said(E - 500), said(E + 300), said(E + 10_000));
    expect(byWhat(fleet, E + 10_001)).toEqual(['lease']);
    expect(outcomesOf(fleet, E + 10_001)).toMatchObject([{ effectiveAt: E + 300 + BOUND, silentSince: E + 300 }]);
  });

  test('does not count where it began a bound after the event', () => {
    const began = (at: number) => heard(said(E + 3000, { startedAt: at + offMs, partitions: [] }));
    expect(byWhat(began(E + BOUND), E + 3001)).toEqual(['lease']);
    expect(byWhat(began(E + BOUND + 1), E + 3001)).toEqual([]);
  });
});

test('a sidecar counts that began before the event, however long after it is heard of first', () => {
  const late = revocationOf(E, { announcedAt: E + 600_000 });
  const [sidecar] = heard(receiptOf('a', E + 300_000, { startedAt: E - 1 })).sidecars(E + 300_000);
  expect(sidecar && outcomeOf(late, sidecar, E + 300_001)).toMatchObject({ by: 'pending' });
});

test('the receipt that was under way for the shortest time tells by how much a clock is off', () => {
  const slow = receiptOf('a', E - 3_600_500, { heardAt: E + 400, startedAt: E - 3_600_500 });
  const quick = receiptOf('a', E - 3_599_000, { heardAt: E + 1000, startedAt: E - 3_600_500 });
  expect(heard(slow, quick).sidecars(E + 1000)).toMatchObject([{ behindMs: 3_600_000 }]);
  expect(byWhat(heard(slow, quick), E + 1000)).toEqual(['pending']);
});

describe('a sidecar does not count', () => {
  test.each([
    ['that began a bound after the event', [receiptOf('a', E + 2001, { startedAt: E + 2001 })]],
    ['that had said that it closes', [before, receiptOf('a', E - 1, { state: 'closed' })]],
    ['that closes without having applied it', [before, receiptOf('a', E + 1, { state: 'closed' })]],
    ['that closes in the millisecond of its last word', [before, receiptOf('a', E - 500, { state: 'closed' })]],
    ['that had been silent for more than ten minutes', [receiptOf('a', E - 610_000)]],
  ])('%s', (_name, receipts) => {
    expect(outcomesOf(heard(...receipts), E + 10 * BOUND)).toEqual([]);
  });

  test('but does where it closes after it has applied it', () => {
    const fleet = heard(before, receiptOf('a', E + 40, { applied: [applied(E + 3)] }));
    fleet.hear(receiptOf('a', E + 100, { state: 'closed' }));
    expect(outcomesOf(fleet, E + 200)).toMatchObject([{ by: 'receipt', state: 'closed' }]);
  });

  test('twice, unless it was started anew: the one before may have left things open', () => {
    const fleet = heard(before, before, receiptOf('a', E + 1), receiptOf('a', E + 2, { startedAt: E + 1 }));
    expect(byWhat(fleet, E + 10)).toEqual(['pending', 'pending']);
    expect(fleet.present(E + 10)).toHaveLength(2);
  });
});

test('a sidecar counts that began after the announcement, as its view may be from before, and by its first tick from after', () => {
  const late = revocationOf(E, { announcedAt: E + 1000 });
  const outcomeFor = (startedAt: number, members = {}) => {
    const [sidecar] = heard(receiptOf('a', startedAt + 5, { startedAt, ...members })).sidecars(startedAt);
    return sidecar && outcomeOf(late, sidecar, startedAt + 10);
  };
  for (const startedAt of [E + 900, E + 1001, E + 1000 + BOUND])
    expect(outcomeFor(startedAt)).toMatchObject({ by: 'pending' });
  expect(outcomeFor(E + 1001 + BOUND)).toBeUndefined();
  expect(outcomeFor(E + 1001, { tick: E + SKEW })).toMatchObject({ by: 'receipt' });
});

test('an event that is named twice keeps what was worst', () => {
  const fleet = heard(
    before,
    receiptOf('a', E + 40, { applied: [applied(E + 9, { exposed: 7, atLeast: true })] }),
    receiptOf('a', E + 90, { applied: [applied(E + 3)] }),
  );
  expect(outcomesOf(fleet, E + 100)).toMatchObject([{ appliedAt: E + 9, exposed: 7, atLeast: true }]);
});

test('a sidecar that says nothing for its bound is silent, and is listed for a minute', () => {
  const fleet = heard(before);
  const states = (now: number) => fleet.present(now).map((sidecar) => stateOf(sidecar, now));
  expect(states(before.at + BOUND - 1)).toEqual(['live']);
  expect(states(before.at + BOUND)).toEqual(['silent']);
  expect(states(before.at + 60_000)).toEqual([]);
});

/** A sidecar's receipts: it says something now and then, may come to apply the event, and may close. */
const life = (instance: string): fc.Arbitrary<HeardReceipt[]> =>
  fc
    .record({
      begins: fc.integer({ min: -70_000, max: 3000 }),
      pauses: fc.array(fc.oneof(fc.integer({ min: 1, max: 2500 }), fc.integer({ min: 1, max: 70_000 })), {
        maxLength: 12,
      }),
      appliesIn: fc.nat(20),
      names: fc.boolean(),
      closes: fc.boolean(),
    })
    .map(({ begins, pauses, appliesIn, names, closes }) => {
      let at = E + begins;
      return [0, ...pauses].map((pause, i) => {
        at += pause;
        const has = i >= appliesIn && at > E;
        return receiptOf(instance, at, {
          startedAt: E + begins,
          ...(closes && i === pauses.length ? { state: 'closed' as const } : {}),
          ...(has ? { tick: E + SKEW } : {}),
          ...(has && names && i === appliesIn ? { applied: [applied(at - 1)] } : {}),
        });
      });
    });
const lives = fc.tuple(life('a'), life('b'), life('c'));
const inTime = (all: readonly HeardReceipt[][]) => all.flat().sort((a, b) => a.at - b.at);

describe('law:', () => {
  test('in whatever order the receipts of different sidecars come, and however often, the outcomes are the same', () => {
    fc.assert(
      fc.property(lives, fc.infiniteStream(fc.nat(2)), (all, picks) => {
        const left = all.map((receipts) => [...receipts]);
        const mixed = new Fleet();
        while (left.some(({ length }) => length > 0)) {
          const receipt = left[picks.next().value]?.shift();
          if (receipt !== undefined) for (let i = 0; i <= picks.next().value; i++) mixed.hear(receipt);
        }
        const now = E + 5 * 60_000;
        const sorted = (fleet: Fleet) => outcomesOf(fleet, now).sort((a, b) => a.instance.localeCompare(b.instance));
        expect(sorted(mixed)).toEqual(sorted(heard(...inTime(all))));
      }),
    );
  });

  test('what is effective on a sidecar stays so, whatever is said and however time passes', () => {
    fc.assert(
      fc.property(lives, fc.array(fc.nat(100_000), { maxLength: 10 }), (all, looks) => {
        const fleet = new Fleet();
        const effective = new Set<string>();
        const look = (now: number) => {
          for (const { instance, by } of outcomesOf(fleet, now))
            if (by !== 'pending') effective.add(instance);
            else expect(effective).not.toContain(instance);
        };
        const left = inTime(all);
        const times = [...left.map(({ at }) => at), ...looks.map((delay) => E + delay)].sort((a, b) => a - b);
        for (const now of times) {
          while (left[0] !== undefined && left[0].at <= now) fleet.hear(left.shift() as HeardReceipt);
          look(now);
        }
      }),
    );
  });

  test('a sidecar that never says it is effective exactly when a lease, renewed by each word, has run out', () => {
    fc.assert(
      fc.property(life('a'), fc.nat(100_000), (receipts, delay) => {
        const silent = receipts.map((one) => receiptOf('a', one.at, { startedAt: one.startedAt }));
        const now = E + delay;
        let lease = E + BOUND;
        for (const { at } of silent) if (at > E && at < lease && at <= now) lease = at + BOUND;
        const fleet = heard(...silent.filter(({ at }) => at <= now));
        for (const outcome of outcomesOf(fleet, now)) {
          expect(outcome.by).toBe(lease <= now ? 'lease' : 'pending');
          expect(outcome.effectiveAt).toBe(lease <= now ? lease : undefined);
        }
      }),
    );
  });
});
