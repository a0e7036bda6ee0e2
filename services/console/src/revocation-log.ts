import type { RevocationReport } from '@curfew/contracts/reports';
import { type Quantiles, quantilesOf } from './quantiles.ts';
import { HISTORY_MS } from './series.ts';

/** Over how long the quantiles of propagation are taken, ms: about 60 canaries, on every sidecar. */
const WINDOW_MS = 300_000;

/** How many revocations are held beside those that are pending: as many as the session service lists. */
const MAX_HELD = 1000;

/** How many that are pending are asked for by their ids at a time. */
const MAX_ASKED = 20;

/** How far back a revocation may be that nobody has heard of, while nothing is wrong, ms. */
const UNHEARD_MS = 15_000;

/** From acknowledgement to application: on all sidecars, and on each by its instance. */
export interface Propagation {
  readonly overall: Quantiles;
  readonly ofInstance: ReadonlyMap<string, Quantiles>;
}

/** The revocations of the last hour, canaries too, as they were last reported. */
export class RevocationLog {
  #held = new Map<string, { readonly atMs: number; report: RevocationReport }>();

  /** Since when the session service is to be asked next, ms since the epoch. */
  since(now: number): number {
    const pending = [...this.#held.values()].filter(({ report }) => !report.effective);
    return Math.min(now - UNHEARD_MS, ...pending.map(({ atMs }) => atMs - 1));
  }

  /** Those that are pending and not in an answer, as it lists the newest alone: their ids, the oldest first. */
  pendingBeside(reports: readonly RevocationReport[]): readonly string[] {
    const told = new Set(reports.map(({ id }) => id));
    const others = [...this.#held.values()].filter(({ report }) => !report.effective && !told.has(report.id));
    return others
      .slice(-MAX_ASKED)
      .map(({ report }) => report.id)
      .reverse();
  }

  take(reports: readonly RevocationReport[], now: number): void {
    // What sidecars said is kept as long as it is measured: of hundreds of them, an hour's worth would be much.
    for (const held of this.#held.values())
      if (held.report.effective && held.atMs <= now - WINDOW_MS) held.report = { ...held.report, sidecars: [] };
    for (const report of reports) this.#held.set(report.id, { atMs: Date.parse(report.at), report });
    const newest = [...this.#held.values()]
      .filter(({ atMs }) => atMs > now - HISTORY_MS)
      .toSorted((a, b) => b.atMs - a.atMs);
    const held = newest.filter(({ report }, place) => place < MAX_HELD || !report.effective);
    this.#held = new Map(held.map((one) => [one.report.id, one]));
  }

  /** Newest first. */
  get all(): readonly RevocationReport[] {
    return [...this.#held.values()].map(({ report }) => report);
  }

  /** What was measured in the window that ends at this time, ms since the epoch. */
  propagation(until: number): Propagation {
    const overall: number[] = [];
    const ofInstance = new Map<string, number[]>();
    for (const { atMs, report } of this.#held.values()) {
      if (atMs > until || atMs <= until - WINDOW_MS) continue;
      for (const { instance, by, latencyMs } of report.sidecars) {
        // One that refused by itself meanwhile was not late, however long it slept.
        if (by !== 'receipt' || latencyMs === undefined) continue;
        overall.push(latencyMs);
        const own = ofInstance.get(instance);
        if (own) own.push(latencyMs);
        else ofInstance.set(instance, [latencyMs]);
      }
    }
    return {
      overall: quantilesOf(overall),
      ofInstance: new Map([...ofInstance].map(([instance, values]) => [instance, quantilesOf(values)])),
    };
  }

  /** Requests let through before a revocation was applied, in the last hour. */
  letThrough(): { readonly count: number; readonly atLeast: boolean } {
    const revocations = this.all.filter(({ canary }) => canary !== true);
    return {
      count: revocations.reduce((sum, { exposed }) => sum + exposed, 0),
      atLeast: revocations.some(({ atLeast }) => atLeast === true),
    };
  }
}
