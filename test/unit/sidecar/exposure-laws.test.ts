import { sessionVersions } from '@curfew/replica';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Acceptances } from '../../../libs/sidecar/src/acceptances.ts';
import { acknowledgement } from '../../../libs/sidecar/src/acknowledgement.ts';
import { createClock } from '../../../libs/sidecar/src/clock.ts';
import { VersionsView } from '../../../libs/sidecar/src/versions-view.ts';
import { Fleet } from '../../../services/session-service/src/receipts/fleet.ts';
import { outcomeOf } from '../../../services/session-service/src/receipts/outcome.ts';
import { receiptOf, revocationOf } from '../../support/receipts.ts';
import { CLAIMS, NOW } from './issuer.ts';

/** What happens at a sidecar, so long after what happened before it, ms. */
type Step = { readonly after: number } & (
  | { readonly what: 'request' }
  /** A tick comes, or a receipt goes, which takes so long between broker and sidecar, ms. */
  | { readonly what: 'tick' | 'receipt'; readonly takes: number }
  /** The wall clock is set, by so much, ms; the sidecar's own follows it where that is ahead. */
  | { readonly what: 'set'; readonly by: number }
);

const after = fc.nat({ max: 40 });
const takes = fc.oneof(fc.nat({ max: 4 }), fc.nat({ max: 300 }));
const request = fc.record({ after, what: fc.constant('request' as const) });
const exchange = fc.record({ after, what: fc.constantFrom('tick' as const, 'receipt' as const), takes });
const set = fc.record({ after, what: fc.constant('set' as const), by: fc.integer({ min: -1000, max: 1000 }) });
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.oneof(request, exchange), weight: 9 },
  { arbitrary: set, weight: 1 },
);
interface Life {
  /** How far the sidecar's clock is ahead of the broker's when it begins, ms. */
  readonly aheadMs: number;
  readonly before: readonly Step[];
  /** From the acknowledgement of the event to its announcement, which then takes so long to the sidecar, ms. */
  readonly between: readonly Step[];
  readonly takes: number;
}
const life: fc.Arbitrary<Life> = fc.record({
  aheadMs: fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -3_600_000, max: 3_600_000 })),
  before: fc.array(step, { maxLength: 30 }),
  between: fc.array(step, { maxLength: 15 }),
  takes,
});

/** Lives it, and tells what the sidecar counts of it, what a receipt would say, and what was let through indeed. */
function live({ aheadMs, before, between, takes }: Life) {
  let broker = NOW;
  let wallAheadMs = aheadMs;
  const clock = createClock(
    () => broker + wallAheadMs,
    () => broker - NOW,
  );
  const view = new VersionsView({
    maxEntries: 100,
    windowMs: 900_000,
    maxClockSkewMs: 250,
    clock,
    onWarning: () => {},
    onRaised: () => {},
    onProgress: () => {},
  });
  const acceptances = new Acceptances(clock.epoch, 64);
  const alice = sessionVersions({ ...CLAIMS, ver: { s: 1, t: 0, r: 0, at: NOW } });
  const fleet = new Fleet();
  const startedAt = clock.now();
  const say = (takes: number, applied: Parameters<typeof receiptOf>[2] = {}) => {
    const at = clock.now();
    return fleet.hear(receiptOf('a', at, { startedAt, heardAt: broker + takes, ...applied }));
  };
  const run = (step: Step) => {
    broker += step.after;
    if (step.what === 'request') acceptances.add(alice, clock.elapsed());
    else if (step.what === 'receipt') say(step.takes);
    else if (step.what === 'set') {
      wallAheadMs += step.by;
      clock.follow();
    } else {
      const announcedAt = broker - step.takes;
      view.apply(0, { kind: 'tick', tick: announcedAt, offset: 0 }, announcedAt, 0, { headers: [] });
    }
  };
  view.begin(1, 0);
  for (const step of before) run(step);
  // In the next ms: within one, nobody can tell.
  const at = ++broker;
  for (const step of between) run(step);
  const announcedAt = broker;
  broker += takes;
  const record = {
    kind: 'version',
    scope: 'u:alice',
    current: 2,
    floor: 2,
    at,
    why: 'x',
    id: 'jti',
    offset: 5,
  } as const;
  view.apply(0, record, announcedAt, 1, { headers: [] });
  const { since, certainSince } = acknowledgement(at, view.brokerLeadMs);
  const [exposure] = acceptances.exposures([{ scope: 'u:alice', current: 2, since, certainSince }], clock.leaptAt());
  const { requests = Number.NaN, atLeast = true } = exposure ?? {};
  const event = { id: 'jti', partition: 0, offset: 5, at: clock.now(), since, exposed: requests };
  const said = { applied: [atLeast ? { ...event, atLeast } : event] };
  const outcome = outcomeOf(revocationOf(at), say(1, said), broker + 1);
  const truth = between.filter(({ what }) => what === 'request').length;
  return { requests, truth, isLeast: outcome?.atLeast === true };
}

describe('law:', () => {
  test('a count never includes a request that was answered before the event, whatever the clock', () => {
    fc.assert(
      fc.property(life, (one) => {
        const { requests, truth } = live(one);
        expect(requests).toBeLessThanOrEqual(truth);
      }),
      { numRuns: 3000 },
    );
  });

  test('a count that is not said to be a least one is all that was let through, whatever the clock', () => {
    let exact = 0;
    fc.assert(
      fc.property(life, (one) => {
        const { requests, truth, isLeast } = live(one);
        if (isLeast) return;
        exact++;
        expect(requests).toBe(truth);
      }),
      { numRuns: 3000 },
    );
    expect(exact).toBeGreaterThan(300);
  });
});
