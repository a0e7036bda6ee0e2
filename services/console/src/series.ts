import type { Quantiles } from './quantiles.ts';

/** Between two points, ms. */
export const POINT_INTERVAL_MS = 5000;

/** How far back the series reaches, ms. */
export const HISTORY_MS = 3_600_000;

/** What happened in five seconds; `null` where nobody knows. */
export interface Point {
  /** The end of the five seconds, ms since the epoch. */
  readonly t: number;
  /** From acknowledgement to application on a sidecar, over the window that ends here, ms. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly created: number | null;
  readonly renewed: number | null;
  /** Ends by reason; `null` where nobody knows. */
  readonly ended: Readonly<Record<string, number>> | null;
}

/** The points of the last hour, oldest first. */
export class Series {
  readonly #points: Point[] = [];

  get points(): readonly Point[] {
    return this.#points;
  }

  add(point: Point): void {
    this.#points.push(point);
    while ((this.#points[0]?.t ?? point.t) < point.t - HISTORY_MS) this.#points.shift();
  }

  /** A point from before the oldest one. */
  precede(point: Point): void {
    this.#points.unshift(point);
  }

  /** Ends by reason over the whole series. */
  endsByReason(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { ended } of this.#points)
      for (const [reason, count] of Object.entries(ended ?? {})) sums[reason] = (sums[reason] ?? 0) + count;
    return sums;
  }
}

/** A point of the propagation alone, as it is known of the time before this console began. */
export const pastPoint = (t: number, quantiles: Quantiles): Point => ({
  t,
  ...pointOf(quantiles),
  created: null,
  renewed: null,
  ended: null,
});

export const pointOf = ({ p50, p99, p999 }: Quantiles) => ({ p50: p50 ?? null, p99: p99 ?? null, p999: p999 ?? null });
