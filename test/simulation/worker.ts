import { parentPort, workerData } from 'node:worker_threads';
import { runSeed } from './run-seed.ts';
import type { Share, ShareResult } from './runs.ts';

/** Interleavings that are under way at a time: while one waits for its turn of the event loop, the others go on. */
const LANES = 16;

// An error's stack is read by nobody here, and costs more than the run.
Error.stackTraceLimit = 0;

const { from, end, stride, sabotage, stopAtFirst } = workerData as Share;
const failures: { seed: number; kind: string }[] = [];
let runs = 0;
let overRevocations = 0;
let largestStalenessMs = 0;
let next = from;

async function lane(): Promise<void> {
  while (next < end && !(stopAtFirst && failures.length > 0)) {
    const seed = next;
    next += stride;
    const result = await runSeed({ seed, sabotage });
    runs++;
    overRevocations += result.overRevocations;
    largestStalenessMs = Math.max(largestStalenessMs, result.largestStalenessMs);
    const [violation] = result.violations;
    if (violation) failures.push({ seed, kind: violation.kind });
  }
}

await Promise.all(Array.from({ length: LANES }, lane));
const { user, system } = process.threadCpuUsage();
const cpuSeconds = (user + system) / 1e6;
parentPort?.postMessage({ runs, failures, overRevocations, largestStalenessMs, cpuSeconds } satisfies ShareResult);
