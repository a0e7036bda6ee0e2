import { type RunOptions, type RunResult, runSeed } from './run-seed.ts';

/**
 * Leaves out steps of a run for as long as it fails in the same way: first large pieces, then single steps. What a
 * remaining step draws is its own, so that leaving out one changes no other.
 */
export async function shrink(options: RunOptions, failed: RunResult): Promise<RunResult> {
  const kind = failed.violations[0]?.kind;
  let smallest = failed;
  for (let size = Math.ceil(failed.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let first = smallest.steps.length - size; first > -size; first -= size) {
      const { steps } = smallest;
      const fewer = steps.filter((_, i) => i < first || i >= first + size);
      const result = await runSeed({ ...options, trace: undefined, steps: fewer });
      if (result.violations[0]?.kind === kind) smallest = result;
    }
  }
  return smallest;
}
