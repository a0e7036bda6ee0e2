/** What one process of a benchmark measured. Times are in ns. */
export interface Report {
  /** 200 values that stand for all, in rising order: each the value at its rank. Empty where only the notes tell. */
  readonly ranks: readonly number[];
  readonly count: number;
  readonly notes: Readonly<Record<string, number>>;
}

/** The reports of each case, one a run. */
export type Reports = Readonly<Record<string, readonly Report[]>>;

const RANKS = 200;

/** Prints what was measured, for `run.ts` to read. */
export function report(samples: readonly number[], notes: Report['notes'] = {}): void {
  const sorted = [...samples].sort((a, b) => a - b);
  const ranks = Array.from({ length: Math.min(RANKS, sorted.length) }, (_, i) => rankOf(sorted, i / RANKS));
  console.log(JSON.stringify({ ranks, count: samples.length, notes } satisfies Report));
}

const rankOf = (sorted: readonly number[], q: number): number => sorted[Math.floor(q * sorted.length)] ?? Number.NaN;

/** The value at a quantile from 0 up to 1: the median of the runs. */
export const quantile = (of: readonly Report[], q: number): number => median(of.map(({ ranks }) => rankOf(ranks, q)));

/** What a case notes: the median of the runs. */
export const noted = (of: readonly Report[], note: string): number =>
  median(of.map(({ notes }) => notes[note] ?? Number.NaN));

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export function time(ns: number): string {
  if (ns < 1000) return `${ns.toFixed(0)} ns`;
  return ns < 1e6 ? `${(ns / 1000).toFixed(1)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
}

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 12,345 */
export const whole = (value: number): string => WHOLE.format(value);
