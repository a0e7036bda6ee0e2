import { expect, test } from 'vitest';
import { runSeed } from './run-seed.ts';
import { runSeeds } from './runs.ts';
import { SABOTAGES } from './sabotage.ts';
import { shrink } from './shrink.ts';

const INTERLEAVINGS = 100_000;
/** Every sabotage is found in fewer. */
const SABOTAGED_INTERLEAVINGS = 40_000;

const LIMIT_MS = 15 * 60_000;

test(`none of ${INTERLEAVINGS} interleavings accepts what has ended, loses an event or lowers a version`, {
  timeout: LIMIT_MS,
}, async () => {
  const { runs, failures } = await runSeeds({ from: 1, count: INTERLEAVINGS, stopAtFirst: true });
  const [first] = failures;
  if (first) {
    const failed = await runSeed({ seed: first.seed });
    const { steps, violations } = await shrink({ seed: first.seed }, failed);
    const again = `npm run simulate -- --seed ${first.seed} --steps ${steps.join(',')} --trace`;
    expect.fail(`${violations[0]?.kind}: ${violations[0]?.text}\n${again}`);
  }
  expect(runs).toBe(INTERLEAVINGS);
});

test.each(SABOTAGES)(
  'without %s, an interleaving is found that breaks a promise',
  { timeout: LIMIT_MS },
  async (sabotage) => {
    const { failures } = await runSeeds({ from: 1, count: SABOTAGED_INTERLEAVINGS, sabotage, stopAtFirst: true });
    expect(failures).not.toEqual([]);
  },
);

test('a seed gives the same run again, and a smaller one that fails alike', async () => {
  const traceOf = async () => {
    const lines: string[] = [];
    const result = await runSeed({ seed: 6, sabotage: 'ticks', trace: (line) => lines.push(line) });
    // The ids of sessions are random, and decide nothing.
    return { result, lines: lines.map((line) => line.replaceAll(/[\w-]{22}/g, '…')) };
  };
  const [one, other] = [await traceOf(), await traceOf()];
  expect(other.lines).toEqual(one.lines);

  const smaller = await shrink({ seed: 6, sabotage: 'ticks' }, one.result);
  expect(smaller.steps.length).toBeLessThan(one.result.steps.length);
  expect(smaller.violations[0]?.kind).toBe(one.result.violations[0]?.kind);
});
