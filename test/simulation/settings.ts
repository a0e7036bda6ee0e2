import type { Random } from './random.ts';

/** What a run is made of, drawn from its seed. Times in ms; they are short, so that a run of few steps outlasts the bound. */
export interface Settings {
  readonly partitions: number;
  readonly instances: number;
  readonly sidecars: number;
  readonly boundMs: number;
  readonly maxClockSkewMs: number;
  readonly tickIntervalMs: number;
  readonly windowMs: number;
  readonly sessionTtlMs: number;
  /** Scopes that each sidecar's replica keeps. */
  readonly maxEntries: number;
  /** How often a request meets trouble on its way. */
  readonly trouble: number;
  /** Share of the steps in which time passes. */
  readonly haste: number;
  /** The kinds of faults that this run draws from. */
  readonly faults: readonly string[];
}

export function drawSettings(random: Random, faults: readonly string[]): Settings {
  return {
    partitions: random.pick([1, 2, 2, 3]),
    instances: 1 + random.below(2),
    sidecars: random.chance(0.25) ? 2 : 1,
    boundMs: 200,
    maxClockSkewMs: 20,
    tickIntervalMs: random.pick([20, 40, 80]),
    windowMs: random.pick([250, 600, 3000]),
    sessionTtlMs: 3_600_000,
    maxEntries: random.pick([1, 2, 3, 100]),
    trouble: random.pick([0, 0.05, 0.15]),
    // A few kinds at a time: what takes two faults together is found sooner than among all of them.
    haste: random.pick([0.08, 0.12, 0.2]),
    faults: faults.filter(() => random.chance(0.4)),
  };
}
