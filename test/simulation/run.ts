import { parseArgs } from 'node:util';
import { runSeed } from './run-seed.ts';
import { runSeeds } from './runs.ts';
import { isSabotage, SABOTAGES } from './sabotage.ts';
import { shrink } from './shrink.ts';

/**
 * Searches for an order of awaits and faults that breaks a promise, or repeats one.
 *
 *     npm run simulate -- [--runs 100000] [--from 1] [--without horizon]
 *     npm run simulate -- --seed 31211 [--steps 3,17,20] [--trace] [--without horizon]
 */

const USAGE = `usage: npm run simulate -- [--runs 100000] [--from 1] [--without ${SABOTAGES.join('|')}]
       npm run simulate -- --seed N [--steps 3,17,20] [--trace] [--without …]`;

Error.stackTraceLimit = 0;
const { seed, steps, trace, runs, from, without } = readArguments();
process.exitCode = seed === undefined ? await search() : await repeat(seed, steps);

function readArguments() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      steps: { type: 'string' },
      trace: { type: 'boolean', default: false },
      runs: { type: 'string', default: '100000' },
      from: { type: 'string', default: '1' },
      without: { type: 'string' },
    },
  });
  const { without: named, seed: seedText, steps: stepsText } = values;
  const numbers = [seedText, values.runs, values.from, ...(stepsText?.split(',') ?? [])];
  if (numbers.some((text) => text !== undefined && !/^\d+$/.test(text)) || (named && !isSabotage(named))) {
    console.error(USAGE);
    process.exit(2);
  }
  return {
    seed: seedText === undefined ? undefined : Number(seedText),
    steps: stepsText?.split(',').map(Number),
    trace: values.trace,
    runs: Number(values.runs),
    from: Number(values.from),
    without: named !== undefined && isSabotage(named) ? named : undefined,
  };
}

async function search(): Promise<number> {
  const began = performance.now();
  const result = await runSeeds({ from, count: runs, sabotage: without });
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${result.runs} interleavings in ${seconds.toFixed(1)} s (${result.cpuSeconds.toFixed(1)} s of processor time), ` +
      `${result.failures.length} with violations. Largest staleness ${result.largestStalenessMs} ms; ` +
      `${result.overRevocations} sessions over-revoked after Redis lost writes.`,
  );
  for (const [kind, failures] of Map.groupBy(result.failures, (failure) => failure.kind))
    console.log(
      `${kind}: ${failures.length}, seeds ${failures
        .slice(0, 8)
        .map((one) => one.seed)
        .join(' ')}`,
    );
  const [first] = result.failures;
  if (first === undefined) return 0;
  await repeat(first.seed, undefined);
  return 1;
}

/** Runs one seed; where it fails, makes it small and says how to see it. */
async function repeat(one: number, only: readonly number[] | undefined): Promise<number> {
  const options = { seed: one, sabotage: without, steps: only };
  const result = await runSeed({ ...options, trace: trace ? console.log : undefined });
  for (const { kind, text } of result.violations) console.log(`${kind}: ${text}`);
  if (result.violations.length === 0) {
    console.log(`seed ${one}: no violation`);
    return 0;
  }
  const { steps: few } = await shrink(options, result);
  const command = `npm run simulate -- --seed ${one} --steps ${few.join(',')} --trace`;
  console.log(`seed ${one} fails in ${few.length} of ${result.steps.length} steps:`);
  console.log(`    ${command}${without === undefined ? '' : ` --without ${without}`}`);
  return 1;
}
