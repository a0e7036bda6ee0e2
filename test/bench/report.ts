/** What one process of a benchmark measured. Times are in ns. */
export interface Report {
  /** 200 values that stand for all, in rising order: each the value at its rank. */
  readonly ranks: readonly number[];
  readonly count: number;
  readonly notes: Readonly<Record<string, number>>;
}

const RANKS = 200;

/** Prints what was measured, for `run.ts` to read. */
export function report(samples: readonly number[], notes: Report['notes'] = {}): void {
  const sorted = [...samples].sort((a, b) => a - b);
  const ranks = Array.from({ length: RANKS }, (_, i) => sorted[Math.floor((i * sorted.length) / RANKS)] ?? Number.NaN);
  console.log(JSON.stringify({ ranks, count: samples.length, notes } satisfies Report));
}

/** The value at a quantile from 0 up to 1. */
export const quantile = ({ ranks }: Report, q: number): number => ranks[Math.floor(q * ranks.length)] ?? Number.NaN;
