import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Sabotage } from './sabotage.ts';

/** Which seeds are run. */
export interface Seeds {
  readonly from: number;
  readonly count: number;
  readonly sabotage?: Sabotage | undefined;
  /** Ends soon after the first failure. */
  readonly stopAtFirst?: boolean;
}

/** What one worker does of it: the seeds from `from` on, every `stride`-th. */
export interface Share {
  readonly from: number;
  readonly end: number;
  readonly stride: number;
  readonly sabotage: Sabotage | undefined;
  readonly stopAtFirst: boolean;
}

export interface ShareResult {
  readonly runs: number;
  readonly failures: readonly { readonly seed: number; readonly kind: string }[];
  /** Sessions that were ended without an event of their own, after Redis lost writes. */
  readonly overRevocations: number;
  /** Largest time after an event at which a strict route still accepted a session that it ends, ms. */
  readonly largestStalenessMs: number;
  readonly cpuSeconds: number;
}

/** Runs many seeds, on all cores. The failures are in the order of their seeds. */
export async function runSeeds({ from, count, sabotage, stopAtFirst = false }: Seeds): Promise<ShareResult> {
  const stride = availableParallelism();
  const shares = await Promise.all(
    Array.from({ length: stride }, (_, i) =>
      runShare({ from: from + i, end: from + count, stride, sabotage, stopAtFirst }),
    ),
  );
  const sum = (of: (share: ShareResult) => number) => shares.reduce((total, share) => total + of(share), 0);
  return {
    runs: sum(({ runs }) => runs),
    failures: shares.flatMap(({ failures }) => failures).sort((a, b) => a.seed - b.seed),
    overRevocations: sum((share) => share.overRevocations),
    largestStalenessMs: Math.max(...shares.map((share) => share.largestStalenessMs)),
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
  };
}

function runShare(share: Share): Promise<ShareResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: share });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
