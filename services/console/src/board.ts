import type { RevocationReport, SidecarReport } from '@curfew/contracts/reports';
import { Counters } from './counters.ts';
import { Fleet } from './fleet.ts';
import { type Headline, type Hearing, headlineOf } from './headline.ts';
import { Instances } from './instances.ts';
import { RevocationLog } from './revocation-log.ts';
import { POINT_INTERVAL_MS, type Point, pastPoint, pointOf, Series } from './series.ts';
import { storeHealth } from './store-health.ts';

/** What the session service answered in one round of questions. */
export interface Round {
  readonly sidecars: readonly SidecarReport[];
  readonly revocations: readonly RevocationReport[];
  /** The metrics that each address answered. */
  readonly metrics: ReadonlyMap<string, string>;
  readonly notReady: string | undefined;
}

/** Longest that what was heard stands for what is, ms: it is asked for once a second. */
const MAX_HEARING_AGE_MS = 5000;

const DAY_MS = 86_400_000;

/** How many revocations the overview shows. */
const SHOWN = 12;

/** All that the console knows, and what it makes of it. It asks nobody and reads no clock. */
export class Board {
  readonly #fleet = new Fleet();
  readonly #log = new RevocationLog();
  readonly #series = new Series();
  readonly #counters = new Counters();
  readonly #instances = new Instances();
  /** Numbers of Redis' replicas, and when each was last seen. */
  readonly #replicas = new Map<number, number>();
  #hearing: Hearing = { lastAt: undefined, failure: 'The session service was not asked yet', notReady: undefined };

  /** Since when revocations are to be asked for, ms since the epoch. */
  since = (now: number): number => this.#log.since(now);

  /** Revocations that are pending and not in an answer, by their ids. */
  pendingBeside = (reports: readonly RevocationReport[]): readonly string[] => this.#log.pendingBeside(reports);

  get points(): readonly Point[] {
    return this.#series.points;
  }

  heard({ sidecars, revocations, metrics, notReady }: Round, now: number): void {
    this.#hearing = { lastAt: now, failure: undefined, notReady };
    this.#fleet.take(sidecars, now);
    this.#log.take(revocations, now);
    this.#instances.take(metrics, now);
    const { replicas } = storeHealth(this.#instances.samples);
    if (replicas !== undefined) this.#replicas.set(replicas, now);
  }

  /** Takes what the session service remembers of the last hour, and the propagation of before this console began from it. */
  recall(revocations: readonly RevocationReport[], now: number): void {
    // What was heard meanwhile may be newer.
    const effective = new Set(this.#log.all.flatMap(({ id, effective }) => (effective ? [id] : [])));
    this.#log.take(
      revocations.filter((one) => one.effective || !effective.has(one.id)),
      now,
    );
    const oldest = this.#log.all.at(-1);
    if (oldest === undefined) return;
    const began = this.#series.points[0]?.t ?? now;
    for (let t = began - POINT_INTERVAL_MS; t >= Date.parse(oldest.at); t -= POINT_INTERVAL_MS)
      this.#series.precede(pastPoint(t, this.#log.propagation(t).overall));
  }

  missed(failure: string): void {
    this.#hearing = { ...this.#hearing, failure };
  }

  /** Ends five seconds. */
  mark(now: number): Point {
    const known = this.#hearing.failure === undefined;
    const rise = (name: string, label?: string) => this.#counters.rise(this.#instances.samples, name, label);
    const counts = {
      created: rise('curfew_sessions_created_total')[''] ?? 0,
      renewed: rise('curfew_sessions_renewed_total')[''] ?? 0,
      ended: rise('curfew_sessions_ended_total', 'reason'),
    };
    const point = known
      ? { t: now, ...pointOf(this.#log.propagation(now).overall), ...counts }
      : pastPoint(now, { count: 0 });
    this.#series.add(point);
    return point;
  }

  state(now: number) {
    const { overall, ofInstance } = this.#log.propagation(now);
    const open = this.#fleet.open;
    const revocations = this.#log.all;
    const hearing = this.#hearingAt(now);
    const headline: Headline = headlineOf({
      now,
      hearing,
      sidecars: open,
      abandoned: this.#fleet.abandoned,
      revocations,
      propagation: overall,
    });
    return {
      at: now,
      headline,
      hearing,
      sidecars: this.#fleet.shown.map(({ partitions, ...sidecar }) => ({
        ...sidecar,
        /** By partition. */
        ages: partitions.map(({ ageMs }) => ageMs),
        propagation: ofInstance.get(sidecar.instance),
      })),
      open: open.length,
      live: open.filter(({ state }) => state === 'live').length,
      boundMs: Math.max(0, ...open.map(({ boundMs }) => boundMs)),
      propagation: overall,
      letThrough: this.#log.letThrough(),
      revocations: revocations
        .filter(({ canary }) => canary !== true)
        .slice(0, SHOWN)
        .map(summaryOf),
      lastCanary: revocations
        .filter(({ canary }) => canary === true)
        .slice(0, 1)
        .map(summaryOf)[0],
      endsByReason: this.#series.endsByReason(),
      store: { ...storeHealth(this.#instances.samples), mostReplicas: this.#mostReplicas(now) },
    };
  }

  /** Within the last day, as the alert has it, and since this console began. */
  #mostReplicas(now: number): number {
    const seen = [...this.#replicas].filter(([, lastAt]) => lastAt > now - DAY_MS);
    return Math.max(0, ...seen.map(([count]) => count));
  }

  /** This process may have stood still: then nobody failed, and nothing was heard. */
  #hearingAt(now: number): Hearing {
    const { lastAt = now, failure } = this.#hearing;
    const isOld = failure === undefined && now - lastAt > MAX_HEARING_AGE_MS;
    return isOld ? { ...this.#hearing, failure: 'The session service was not heard of late' } : this.#hearing;
  }
}

/** A revocation in one line: of many sidecars, each would be too much to tell once a second. */
const summaryOf = ({ sidecars: _sidecars, ...summary }: RevocationReport) => summary;

/** What the page is told once a second. */
export type State = ReturnType<Board['state']>;
