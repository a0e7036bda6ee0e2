import { describe, expect, test } from 'vitest';
import { createClock } from '../../../libs/sidecar/src/clock.ts';

describe('the clock', () => {
  test('goes on when the wall clock is set back, and catches up when that is ahead', () => {
    let wall = 1_000_000;
    let monotonic = 5000;
    const clock = createClock(
      () => wall,
      () => monotonic,
    );
    expect(clock.now()).toBe(1_000_000);
    [wall, monotonic] = [400_000, 5100];
    clock.follow();
    expect(clock.now()).toBe(1_000_100);
    [wall, monotonic] = [1_060_000, 5200];
    expect(clock.now()).toBe(1_000_200);
    clock.follow();
    expect(clock.now()).toBe(1_060_000);
    wall = 1_000_000;
    clock.follow();
    expect(clock.now()).toBe(1_060_000);
  });

  test('tells when it last caught up, and by how much in all; less than 2 ms is none', () => {
    let wall = 1_000_000;
    const clock = createClock(
      () => wall,
      () => 5000,
    );
    const leaps = () => [clock.leaptMs(), clock.leaptAt()];
    expect(leaps()).toEqual([0, Number.NEGATIVE_INFINITY]);
    for (const [at, told] of [
      [999_000, [0, Number.NEGATIVE_INFINITY]],
      [1_000_300, [300, 1_000_300]],
      [1_000_300.75, [300.75, 1_000_300]],
      [1_000_200, [300.75, 1_000_300]],
      [1_000_400, [400, 1_000_400]],
    ] as const) {
      wall = at;
      clock.follow();
      expect(leaps()).toEqual(told);
    }
  });

  test('has not leapt because looks at two clocks take a moment', () => {
    let time = 1_000_000.9;
    const look = () => (time += 0.4);
    const clock = createClock(() => Math.floor(look()), look);
    for (let i = 0; i < 100; i++) clock.follow();
    expect(clock.leaptAt()).toBe(Number.NEGATIVE_INFINITY);
  });

  test('tells the same in whole ms since it began, never less than has gone by', () => {
    let monotonic = 5000.2;
    const clock = createClock(
      () => 1_000_000,
      () => monotonic,
    );
    monotonic = 5007.4;
    expect(clock.elapsed()).toBe(5008);
    expect(clock.now()).toBe(clock.epoch + 5008);
    expect(clock.now()).toBeGreaterThanOrEqual(1_000_007);
  });

  test('is the wall clock at the start', () => {
    expect(Math.abs(createClock().now() - Date.now())).toBeLessThan(50);
  });
});
