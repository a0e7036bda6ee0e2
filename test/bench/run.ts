import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs, promisify } from 'node:util';
import { interruption, Stopped } from '../../infra/local/interrupt.mjs';
import { startKafka } from '../../infra/local/kafka.mjs';
import { refreshKeys, signingKey } from '../../infra/local/keys.mjs';
import { inRoot, LOCAL } from '../../infra/local/paths.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { startRedis } from '../../infra/local/redis.mjs';
import { localServices, PORTS, startService } from '../../infra/local/services.mjs';
import { quantile, type Report } from './report.ts';

/**
 * Measures, each case in a fresh process, the two sides of a ratio in turns, and keeps the raw values in `results`.
 *
 *     npm run bench -- [--only check] [--runs 5]
 */

interface Comparison {
  readonly name: string;
  readonly measured: string;
  readonly beside: string;
  /** How the ratio is told: `times faster`, or as a factor that is to be small. */
  readonly says: (measuredNs: number, besideNs: number) => string;
}

const faster = (measuredNs: number, besideNs: number): string => `${(besideNs / measuredNs).toFixed(0)} times faster`;

const COMPARISONS: readonly Comparison[] = [
  { name: 'check', measured: 'replica-check', beside: 'redis-get', says: faster },
  { name: 'authenticate', measured: 'authenticate-cached', beside: 'jose-verify', says: faster },
  {
    name: 'read-through',
    measured: 'read-through',
    beside: 'redis-get',
    says: (measuredNs, besideNs) => `${(measuredNs / besideNs).toFixed(2)} of a round trip to Redis`,
  },
  {
    name: 'propagation',
    measured: 'propagation',
    beside: 'propagation-floors',
    says: (measuredNs, besideNs) => `${(measuredNs / besideNs).toFixed(2)} of the sum of the floors`,
  },
];

const RESULTS = new URL('results/', import.meta.url);
const run = promisify(execFile);

const { values } = parseArgs({ options: { only: { type: 'string' }, runs: { type: 'string', default: '3' } } });
const runs = Number(values.runs);
const chosen = COMPARISONS.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0 || !Number.isInteger(runs) || runs < 1) {
  console.error(`usage: npm run bench -- [--only ${COMPARISONS.map(({ name }) => name).join('|')}] [--runs 3]`);
  process.exit(1);
}

const directory = `${LOCAL}/bench-${process.pid}`;
const signal = interruption(console.error);
const started: { stop(): Promise<void> }[] = [];
let environment: NodeJS.ProcessEnv;

try {
  environment = await startStack(chosen.some(({ name }) => name === 'propagation'));
  await mkdir(RESULTS, { recursive: true });
  for (const comparison of chosen) await compare(comparison);
} catch (error) {
  if (!(signal.reason instanceof Stopped)) throw error;
  process.exitCode = signal.reason.exitCode;
} finally {
  for (const one of started.reverse()) await one.stop();
  await rm(directory, { recursive: true, force: true });
}

/** Redis, and for propagation Kafka and a session service as well; the environment that names them. */
async function startStack(whole: boolean): Promise<NodeJS.ProcessEnv> {
  const [redisPort = 0, kafkaPort = 0, servicePort = 0] = await freePorts(3);
  const redis = await startRedis({ port: redisPort, directory, signal });
  started.push(redis);
  const env = { ...process.env, CURFEW_REDIS_URL: redis.url };
  if (!whole) return env;
  const kafka = await startKafka({ port: kafkaPort, directory, signal });
  started.push(kafka);
  const ports = { ...PORTS, 'session-service': servicePort };
  const keys = { signingKey: signingKey(), refreshKeys: refreshKeys() };
  const options = { brokers: kafka.brokers, redisUrl: redis.url, ...keys, ports };
  const [sessionService] = localServices(options);
  if (sessionService === undefined) throw new Error('there is no session service');
  started.push(await startService(sessionService, { directory, signal }));
  return { ...env, CURFEW_KAFKA_BROKERS: kafka.brokers };
}

async function compare({ name, measured, beside, says }: Comparison): Promise<void> {
  const reports: Record<string, Report[]> = { [measured]: [], [beside]: [] };
  for (let i = 0; i < runs; i++)
    for (const which of i % 2 === 0 ? [measured, beside] : [beside, measured]) {
      process.stderr.write(`${name}: ${which}, run ${i + 1} of ${runs}\n`);
      reports[which]?.push(await measure(which));
    }
  const [ofMeasured = [], ofBeside = []] = [reports[measured], reports[beside]];
  const p50 = (of: readonly Report[], q = 0.5) => median(of.map((one) => quantile(one, q)));
  for (const [which, of] of Object.entries(reports))
    console.log(
      `${which.padEnd(20)} p50 ${time(p50(of)).padStart(9)}   p99 ${time(p50(of, 0.99)).padStart(9)}${notesOf(of)}`,
    );
  console.log(`${''.padEnd(20)} ${says(p50(ofMeasured), p50(ofBeside))}, median of ${runs} runs\n`);
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memoryBytes: totalmem(), node: process.version };
  const result = { name, when: new Date().toISOString(), machine, runs, reports };
  await writeFile(new URL(`${name}.json`, RESULTS), `${JSON.stringify(result, null, 1)}\n`);
}

async function measure(name: string): Promise<Report> {
  const file = inRoot(`test/bench/cases/${name}.ts`);
  const { stdout } = await run(process.execPath, ['--expose-gc', file], { env: environment, signal });
  return JSON.parse(stdout) as Report;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function time(ns: number): string {
  if (ns < 1000) return `${ns.toFixed(0)} ns`;
  return ns < 1e6 ? `${(ns / 1000).toFixed(1)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
}

function notesOf(of: readonly Report[]): string {
  const notes = Object.entries(of.at(-1)?.notes ?? {});
  return notes.map(([note, value]) => `   ${note} ${Number(value.toPrecision(3))}`).join('');
}
