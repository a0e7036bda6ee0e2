import { CurfewError } from '@curfew/contracts';
import { expect, test, vi } from 'vitest';
import { Undelivered } from '../../../services/session-service/src/sessions/undelivered.ts';

const claims = { sid: 'session', generation: 3, subject: 'alice' };
const DAY_MS = 86_400_000;

function undelivered(failures: number) {
  const clock = { now: 1000 };
  const tell = vi.fn(async (..._told: unknown[]) => {
    if (tell.mock.calls.length <= failures) throw new CurfewError('store_unavailable');
  });
  const pause = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    clock.now += 1000;
  };
  const store = { undelivered: tell, unanswered: tell };
  const tokens = new Undelivered({ store, reuseGraceMs: 10_000, now: () => clock.now, pause });
  return { tell, clock, tokens };
}

test('a token that nobody got the successor of is good for a day, or as long as it was', async () => {
  const { tell, tokens } = undelivered(0);
  await tokens.certainly(claims, 5000);
  await tokens.again(claims, 6000, 7000);
  expect(tell.mock.calls).toEqual([
    ['session', 3, 5000, 5000 + DAY_MS],
    ['session', 3, 6000, 7000],
  ]);
});

test('the store is told until it answers how long ago the exchange was begun', async () => {
  const { tell, tokens } = undelivered(4);
  await tokens.perhaps(claims, 900);
  await vi.waitFor(() => expect(tell).toHaveBeenCalledTimes(5));
  expect(tell.mock.calls.map(([, , since]) => since)).toEqual([100, 1100, 2100, 3100, 4100]);
  expect(tell.mock.lastCall?.slice(3)).toEqual([10_000, 60_000]);
});
