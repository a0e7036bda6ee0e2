import type { Violation } from './history.ts';
import type { Sabotage } from './sabotage.ts';
import { World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly sabotage?: Sabotage | undefined;
  readonly trace?: ((line: string) => void) | undefined;
  /** Which of the steps happen. Default: all of them. */
  readonly steps?: readonly number[] | undefined;
}

export interface RunResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** The steps that happened, up to the violation. */
  readonly steps: readonly number[];
  readonly overRevocations: number;
  readonly largestStalenessMs: number;
}

/** Steps of one run, before everything is healed. */
const STEPS = 160;
/** Steps in which everything must have come through once the faults have stopped. */
const SETTLING_STEPS = 400;

const ALL_STEPS = Array.from({ length: STEPS }, (_, i) => i);

/** Lets everything go on that needs no more I/O. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One interleaving: the steps that the seed draws, then healing, then the verdict. */
export async function runSeed({ seed, sabotage, trace, steps = ALL_STEPS }: RunOptions): Promise<RunResult> {
  const world = new World({ seed, sabotage, trace });
  const { checker } = world;
  const done: number[] = [];
  const result = (): RunResult => ({
    seed,
    violations: checker.violations,
    steps: done,
    overRevocations: checker.overRevocations,
    largestStalenessMs: checker.largestStalenessMs,
  });
  for (const step of steps) {
    world.act(step);
    done.push(step);
    await turn();
    if (checker.violations.length > 0) return result();
  }
  if (seed % SETTLED_EVERY !== 0) return result();
  trace?.('*** the faults stop');
  world.heal();
  for (let step = 0; step < SETTLING_STEPS && checker.violations.length === 0; step++) {
    world.settle(STEPS + step);
    await turn();
  }
  if (checker.violations.length === 0) world.judge();
  return result();
}

/** Of so many runs one is carried on until everything has come through. */
const SETTLED_EVERY = 4;
