/**
 * Clock that never goes back, ms since the epoch: what counts is how long ago a tick was stamped, and a wall clock that is
 * set back would make every view young again. One that is set forward is followed by `follow`.
 */
export interface Clock {
  now(): number;
  /** Catches up with the wall clock where that is ahead: after a process or its machine has slept. */
  follow(): void;
}

export function createClock(wall: () => number = Date.now, monotonic = () => performance.now()): Clock {
  let origin = wall() - monotonic();
  return {
    now: () => origin + monotonic(),
    follow: () => {
      origin = Math.max(origin, wall() - monotonic());
    },
  };
}
