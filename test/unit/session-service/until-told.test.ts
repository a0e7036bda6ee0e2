import { expect, test, vi } from 'vitest';
import { UntilTold } from '../../../services/session-service/src/sessions/until-told.ts';

const pause = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What the store hears, which does not answer the first few times. */
const heard = (failures: number) =>
  vi.fn(async () => {
    if (failures-- > 0) throw new Error('Redis is away');
  });

test('the store is told once where it answers, and until it does where not; nobody waits for that', async () => {
  const untilTold = new UntilTold(pause);
  const [answered, away] = [heard(0), heard(5)];
  await untilTold.tell('session', answered);
  await untilTold.tell('session', away);
  expect([answered.mock.calls.length, away.mock.calls.length]).toEqual([1, 1]);
  await vi.waitFor(() => expect(away).toHaveBeenCalledTimes(6));
  await pause();
  expect(away).toHaveBeenCalledTimes(6);
});

test('one session keeps no other from being told of, however much is to be said of it', async () => {
  const untilTold = new UntilTold(pause);
  const flood = Array.from({ length: 100 }, () => heard(1));
  await Promise.all(flood.map((what) => untilTold.tell('mallory', what)));
  const other = heard(1);
  await untilTold.tell('alice', other);
  await vi.waitFor(() => expect(other).toHaveBeenCalledTimes(2));
  expect(flood.filter((what) => what.mock.calls.length === 2)).toHaveLength(8);
  const later = heard(1);
  await untilTold.tell('mallory', later);
  await vi.waitFor(() => expect(later).toHaveBeenCalledTimes(2));
});

test('there is room again for more sessions than are told of at once', async () => {
  const untilTold = new UntilTold(pause);
  const tellOf = async (sid: string) => {
    const what = heard(1);
    await untilTold.tell(sid, what);
    return what;
  };
  const all = await Promise.all(Array.from({ length: 10_000 }, (_, i) => tellOf(`session ${i}`)));
  await vi.waitFor(() => expect(all.every((what) => what.mock.calls.length === 2)).toBe(true));
  const another = await tellOf('another');
  await vi.waitFor(() => expect(another).toHaveBeenCalledTimes(2));
});
