import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { interruption, Stopped } from '../../infra/local/interrupt.mjs';
import { inRoot, LOCAL } from '../../infra/local/paths.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { BENCHMARKS, type Benchmark } from './benchmarks.ts';
import type { Report } from './report.ts';
import { type Stack, type StackKind, startStack } from './stack.ts';

/**
 * Measures, each case in a fresh process, those of a benchmark in turns, and keeps the raw values in `results`.
 *
 *     npm run bench -- [--only check] [--runs 5] [--sessions 5000]
 */

const RESULTS = new URL('results/', import.meta.url);

const OPTIONS = {
  only: { type: 'string' },
  runs: { type: 'string', default: '3' },
  sessions: { type: 'string' },
} as const;
const { values } = parseArgs({ options: OPTIONS });
const runs = Number(values.runs);
const chosen = BENCHMARKS.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0 || !Number.isInteger(runs) || runs < 1) {
  const names = BENCHMARKS.map(({ name }) => name).join('|');
  console.error(`usage: npm run bench -- [--only ${names}] [--runs 3] [--sessions N]
  --sessions  fewer than store and http take, to try them; their results are not kept`);
  process.exit(1);
}

const directory = `${LOCAL}/bench-${process.pid}`;
const signal = interruption(console.error);

try {
  await mkdir(RESULTS, { recursive: true });
  for (const benchmark of chosen) await measure(benchmark);
} catch (error) {
  if (!(signal.reason instanceof Stopped)) throw error;
  process.exitCode = signal.reason.exitCode;
} finally {
  await removeDirectory(directory);
}

async function measure({ name, cases, onlyOnce = {}, says }: Benchmark): Promise<void> {
  const reports: Record<string, Report[]> = {};
  const stacks = new Map<StackKind, Stack>();
  const again = Object.entries(cases);
  const first = [...again, ...Object.entries(onlyOnce)];
  try {
    for (let i = 0; i < runs; i++)
      for (const [one, kind] of i === 0 ? first : i % 2 === 0 ? again : again.toReversed()) {
        const stack = stacks.get(kind) ?? (await startStack(kind, { directory: `${directory}/${kind}`, signal }));
        stacks.set(kind, stack);
        process.stderr.write(`${name}: ${one}, run ${i + 1} of ${runs}\n`);
        reports[one] ??= [];
        reports[one].push(await runCase(one, stack.environment));
      }
  } finally {
    for (const stack of stacks.values()) await stack.stop();
  }
  for (const line of says(reports)) console.log(line);
  console.log(`${''.padEnd(20)} medians of ${runs} runs\n`);
  if (values.sessions !== undefined) return;
  const result = { name, when: new Date().toISOString(), ...(await setting()), runs, reports };
  await writeFile(new URL(`${name}.json`, RESULTS), `${JSON.stringify(result, null, 1)}\n`);
}

async function runCase(one: string, environment: NodeJS.ProcessEnv): Promise<Report> {
  const [file = '', ...args] = one.split(' ');
  const sessions = values.sessions === undefined ? {} : { CURFEW_BENCH_SESSIONS: values.sessions };
  const child = spawn(process.execPath, ['--expose-gc', inRoot(`test/bench/cases/${file}.ts`), ...args], {
    env: { ...process.env, ...environment, ...sessions },
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`${one} ended with exit code ${code}`);
  return JSON.parse(stdout) as Report;
}

/** The machine, and the versions of what is measured on it. */
async function setting() {
  const versions: Record<string, string> = { node: process.version };
  for (const name of ['ioredis', 'express', 'express-session', 'connect-redis', 'redis', 'autocannon'])
    versions[name] = JSON.parse(await readFile(inRoot('node_modules', name, 'package.json'), 'utf8')).version;
  const redis = spawn('redis-server', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
  versions['redis-server'] = /v=(\S+)/.exec(await text(redis.stdout))?.[1] ?? '';
  return { machine: { cpu: cpus()[0]?.model, cores: cpus().length, memoryBytes: totalmem() }, versions };
}
