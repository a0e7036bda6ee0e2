import { CurfewError } from '@curfew/contracts';
import { expect, test, vi } from 'vitest';
import { Undelivered } from '../../../services/session-service/src/sessions/undelivered.ts';

const claims = { sid: 'session', generation: 3, subject: 'alice' };

function undelivered(failures: number) {
  const clock = { now: 1000 };
  const tell = vi.fn(async (_sid: string, _generation: number, _until: number) => {
    if (tell.mock.calls.length <= failures) throw new CurfewError('store_unavailable');
  });
  const sleep = async (ms: number) => {
    await new Promise((resolve) => setImmediate(resolve));
    clock.now += ms;
  };
  return { tell, clock, tokens: new Undelivered({ store: { undelivered: tell }, now: () => clock.now, sleep }) };
}

test('a token that nobody got the successor of is good for a day, one that perhaps nobody got for a minute', async () => {
  const { tell, tokens } = undelivered(0);
  await tokens.certainly(claims);
  await tokens.perhaps(claims);
  await tokens.again(claims, 1234);
  expect(tell.mock.calls.map(([, , until]) => until)).toEqual([1000 + 86_400_000, 61_000, 1234]);
});

test('the store is told until it answers, and the minute counts from then', async () => {
  const { tell, clock, tokens } = undelivered(4);
  await tokens.perhaps(claims);
  await tokens.perhaps(claims);
  await vi.waitFor(() => expect(tell).toHaveBeenCalledTimes(5));
  expect(tell.mock.lastCall).toEqual(['session', 3, clock.now + 60_000]);
  expect(clock.now).toBe(4000);
});
