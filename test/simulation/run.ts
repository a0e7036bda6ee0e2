import { parseArgs } from 'node:util';
import { runSeed } from './run-seed.ts';
import { isSabotage } from './sabotage.ts';

Error.stackTraceLimit = 0;
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    without: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});
const sabotage = values.without !== undefined && isSabotage(values.without) ? values.without : undefined;
if (values.seed !== undefined) {
  const result = await runSeed({ seed: Number(values.seed), sabotage, trace: values.trace ? console.log : undefined });
  console.log(JSON.stringify(result.violations), result.steps.length);
} else {
  const kinds = new Map<string, number[]>();
  const runs = Number(values.runs);
  const from = Number(values.from);
  let next = from;
  let stale = 0;
  let over = 0;
  const lane = async () => {
    while (next < from + runs) {
      const { seed, violations, largestStalenessMs, overRevocations } = await runSeed({ seed: next++, sabotage });
      stale = Math.max(stale, largestStalenessMs);
      over += overRevocations;
      for (const { kind } of violations.slice(0, 1)) kinds.set(kind, [...(kinds.get(kind) ?? []), seed]);
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  const seconds = (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
  console.log(
    `${runs} runs in ${seconds.toFixed(1)} s, ${(runs / seconds).toFixed(0)} a second; staleness ${stale}; over-revocations ${over}`,
  );
  for (const [kind, seeds] of kinds) console.log(kind, seeds.length, seeds.slice(0, 10).join(' '));
}
