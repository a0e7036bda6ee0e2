import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Ticker } from '../../../services/session-service/src/events/ticker.ts';

beforeEach(() => void vi.useFakeTimers({ now: 10_000 }));
afterEach(() => void vi.useRealTimers());

function ticker(send: (partitions: Iterable<number>, tick: number) => Promise<void>): Ticker {
  const made = new Ticker({ partitions: () => [3, 7], send, intervalMs: 500, now: Date.now });
  made.start();
  return made;
}

describe('the ticker', () => {
  test('stamps each tick before it is sent, into the partitions of now', async () => {
    const send = vi.fn(async () => {});
    const made = ticker(send);
    await vi.advanceTimersByTimeAsync(1000);
    expect(send.mock.calls).toEqual([
      [[3, 7], 10_500],
      [[3, 7], 11_000],
    ]);
    made.stop();
    await vi.advanceTimersByTimeAsync(1000);
    made.tick();
    expect(send).toHaveBeenCalledTimes(2);
  });

  test('has one tick on its way at a time, and goes on after one that failed', async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    const send = vi.fn(async () => {}).mockReturnValueOnce(promise);
    const made = ticker(send);
    await vi.advanceTimersByTimeAsync(2000);
    expect(send).toHaveBeenCalledTimes(1);
    reject(new Error('the bus is away'));
    await vi.advanceTimersByTimeAsync(500);
    expect(send).toHaveBeenCalledTimes(2);
    made.stop();
  });
});
