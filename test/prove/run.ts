import { writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { inRoot, shown } from '../../infra/local/paths.mjs';
import { type ProveArguments, parseProveArguments, USAGE } from './arguments.ts';
import { chartOf } from './chart.ts';
import { check } from './checker.ts';
import { type Progress, prove } from './prove.ts';
import { reportJson, reportText } from './report.ts';
import { summaryOf } from './summary.ts';

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => {
    if (interrupt.signal.aborted) process.exit(1);
    process.exitCode = 128 + constants.signals[name];
    interrupt.abort(new Error(name));
  });

const repeatOf = ({ minutes, seed, without, only, small }: ProveArguments): string =>
  [
    `npm run prove -- --minutes ${minutes} --seed ${seed}`,
    without === undefined ? '' : ` --without ${without}`,
    only === undefined ? '' : ` --only '${only.join(', ')}'`,
    small ? ' --small' : '',
  ].join('');

/** Between two lines where there is no terminal to keep one line on, ms. */
const LINE_EVERY_MS = 10_000;
let lastLine = 0;

function show({ phase, elapsedMs, faults, decisions, events, broken }: Progress): void {
  const words = [
    `${(elapsedMs / 1000).toFixed(0)} s`,
    phase,
    `${faults} faults`,
    `${decisions} decisions`,
    `${events} events`,
  ];
  const line = `${words.join(' · ')}${broken.length > 0 ? ` · broken: ${broken.join(', ')}` : ''}`;
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line.slice(0, process.stdout.columns - 1)}`);
  else if (elapsedMs - lastLine >= LINE_EVERY_MS) {
    lastLine = elapsedMs;
    console.log(line);
  }
}

/** @returns the exit code */
async function run(args: ProveArguments): Promise<number> {
  const repeat = repeatOf(args);
  const directory = inRoot(`.curfew/prove-${args.seed}${args.without === undefined ? '' : '-without-ticks'}`);
  console.log(`${repeat}\nLogs and report: ${shown(directory)}\n`);
  const history = await prove({
    ...args,
    withoutTicks: args.without === 'ticks',
    directory,
    onProgress: show,
    signal: interrupt.signal,
  });
  const findings = check(history);
  const summary = summaryOf(history, findings);
  const text = reportText(history, findings, summary, repeat);
  const verdict = findings.violations.length === 0 ? 'no violation' : `${findings.violations.length} violations`;
  const title = `Curfew under ${history.faults.length} faults, seed ${args.seed}: ${verdict}`;
  await Promise.all([
    writeFile(`${directory}/report.txt`, `${text}\n`),
    writeFile(`${directory}/report.json`, reportJson(history, findings, summary, args)),
    writeFile(`${directory}/report.svg`, chartOf(history, summary, title)),
  ]);
  // What happened, in full, is for finding out why; a run that held needs none of its hundred thousand decisions.
  if (verdict !== 'no violation') {
    const { stored, ...rest } = history;
    await writeFile(`${directory}/history.json`, JSON.stringify({ ...rest, stored: Object.fromEntries(stored) }));
  }
  console.log(`\n\n${text}\n\nPicture: ${shown(`${directory}/report.svg`)}`);
  for (const failure of history.failures) console.log(`a fault could not be made good: ${failure}`);
  return findings.violations.length === 0 && history.failures.length === 0 ? 0 : 1;
}

if (process.argv.includes('--help')) console.log(USAGE);
else {
  const code = await Promise.resolve()
    .then(() => run(parseProveArguments(process.argv.slice(2))))
    .catch((error) => {
      if (!interrupt.signal.aborted)
        console.error(`\n${error instanceof Error ? (error.cause ?? error.message) : error}`);
      return Number(process.exitCode ?? 1);
    });
  process.exit(code);
}
