/** Quantiles of some measurements, and how many there were. */
export interface Quantiles {
  readonly count: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly p999?: number;
}

/** By the nearest rank: each is a value that was measured. Of nothing there are none. */
export function quantilesOf(values: readonly number[]): Quantiles {
  if (values.length === 0) return { count: 0 };
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (quantile: number): number => sorted[Math.ceil(quantile * sorted.length) - 1] ?? Number.NaN;
  return { count: sorted.length, p50: rank(0.5), p99: rank(0.99), p999: rank(0.999) };
}
