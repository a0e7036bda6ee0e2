/**
 * A clock that never goes back: what counts is how long ago a tick was stamped, and a wall clock that is set back would
 * make every view young again.
 */
export interface Clock {
  /** What `elapsed` counts from, ms since the epoch. */
  readonly epoch: number;
  /** Whole ms since `epoch`, rounded up so that nothing looks younger than it is. A small integer costs no allocation. */
  elapsed(): number;
  /** Ms since the epoch. */
  now(): number;
  /** Catches up with the wall clock where that is ahead: after a process or its machine has slept. */
  follow(): void;
  /** By how much it has caught up so far, ms. */
  leaptMs(): number;
  /** When it last caught up, ms since the epoch: times from before cannot be compared with those from then on. */
  leaptAt(): number;
}

/** Less than the least leap is rounding, or what passes between looks at two clocks, ms. */
const LEAST_LEAP_MS = 2;

/** Starts with the wall clock, and goes on by the process' own. */
export function createClock(wall: () => number = Date.now, monotonic = () => performance.now()): Clock {
  // The first look at a clock takes milliseconds.
  monotonic();
  const epoch = Math.floor(wall() - monotonic());
  let ahead = 0;
  let leaptAt = Number.NEGATIVE_INFINITY;
  const elapsed = () => Math.ceil(monotonic() + ahead);
  return {
    epoch,
    elapsed,
    now: () => epoch + elapsed(),
    follow: () => {
      const before = ahead;
      ahead = Math.max(ahead, wall() - epoch - monotonic());
      if (ahead - before >= LEAST_LEAP_MS) leaptAt = epoch + elapsed();
    },
    leaptMs: () => ahead,
    leaptAt: () => leaptAt,
  };
}

/** A clock that somebody else answers for. */
export const clockOf = (now: () => number): Clock => ({
  epoch: 0,
  elapsed: now,
  now,
  follow: () => {},
  leaptMs: () => 0,
  leaptAt: () => Number.NEGATIVE_INFINITY,
});
