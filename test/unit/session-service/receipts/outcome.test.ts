import type { Receipt } from '@curfew/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fleet, stateOf } from '../../../../services/session-service/src/receipts/fleet.ts';
import { outcomeOf } from '../../../../services/session-service/src/receipts/outcome.ts';
import type { Outcome } from '../../../../services/session-service/src/receipts/revocation.ts';
import { applied, BOUND, receiptOf, revocationOf } from '../../../support/receipts.ts';

/** When the event was acknowledged; sidecars began before, unless they say otherwise. */
const E = 100_000;
const revocation = revocationOf(E);

function heard(...receipts: Receipt[]): Fleet {
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

  test('that has applied a later place of the same partition, since it said so', () => {
    const fleet = heard(before, receiptOf('a', E + 900, { offset: 6 }));
    expect(outcomesOf(fleet, E + 950)).toMatchObject([{ by: 'receipt', effectiveAt: E + 900 }]);
    expect(outcomesOf(fleet, E + 950)[0]).not.toHaveProperty('appliedAt');
  });

  test('that applied it before the event was acknowledged, by its clock, since the acknowledgement', () => {
    const fleet = heard(before, receiptOf('a', E + 40, { applied: [applied(E - 30)] }));
    expect(outcomesOf(fleet, E + 50)).toMatchObject([{ effectiveAt: E, appliedAt: E - 30 }]);
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
    const fleet = heard(...Array.from({ length: 20 }, (_, i) => receiptOf('a', E - 500 + i * 1000, { offset: 4 })));
    expect(byWhat(fleet, E + 19_000)).toEqual(['pending']);
  });

  test('not before the bound after its acknowledgement, however long the sidecar was silent before', () => {
    const fleet = heard(receiptOf('a', E - 30_000));
    expect(byWhat(fleet, E + BOUND - 1)).toEqual(['pending']);
    expect(byWhat(fleet, E + BOUND)).toEqual(['lease']);
  });
});

describe('a sidecar does not count', () => {
  test.each([
    ['that was first heard of after the event', [receiptOf('a', E + 1)]],
    ['that had said that it closes', [before, receiptOf('a', E - 1, { state: 'closed' })]],
    ['that closes without having applied it', [before, receiptOf('a', E + 1, { state: 'closed' })]],
    ['that had been silent for a minute', [receiptOf('a', E - 60_000)]],
    ['that had been silent for a minute and then came back', [receiptOf('a', E - 60_000), receiptOf('a', E + 1)]],
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
    expect(byWhat(fleet, E + 10)).toEqual(['pending']);
    expect(fleet.present(E + 10)).toHaveLength(2);
  });
});

test('a sidecar counts that began between an event and its announcement, and none that began after that', () => {
  const late = revocationOf(E, { announcedAt: E + 1000 });
  const outcomeFor = (firstAt: number) => {
    const [sidecar] = heard(receiptOf('a', firstAt, { startedAt: firstAt })).sidecars(firstAt);
    return sidecar && outcomeOf(late, sidecar, E + 1100);
  };
  expect(outcomeFor(E + 900)).toMatchObject({ by: 'pending' });
  expect(outcomeFor(E + 1001)).toBeUndefined();
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
const life = (instance: string): fc.Arbitrary<Receipt[]> =>
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
          ...(has ? { offset: 5 } : {}),
          ...(has && names && i === appliesIn ? { applied: [applied(at - 1)] } : {}),
        });
      });
    });
const lives = fc.tuple(life('a'), life('b'), life('c'));
const inTime = (all: readonly Receipt[][]) => all.flat().sort((a, b) => a.at - b.at);

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

  test('what is effective stays so, whatever is said and however time passes', () => {
    fc.assert(
      fc.property(lives, fc.array(fc.nat(100_000), { maxLength: 10 }), (all, looks) => {
        const fleet = new Fleet();
        let effective = false;
        const look = (now: number) => {
          const is = now > E && byWhat(fleet, now).every((by) => by !== 'pending');
          if (effective) expect(is).toBe(true);
          effective = is;
        };
        const left = inTime(all);
        const times = [...left.map(({ at }) => at), ...looks.map((delay) => E + delay)].sort((a, b) => a - b);
        for (const now of times) {
          while (left[0] !== undefined && left[0].at <= now) fleet.hear(left.shift() as Receipt);
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
