import {
  type AppliedEvent,
  MAX_APPLIED,
  type Receipt,
  type ReceiptPartition,
  type VersionRecord,
} from '@curfew/contracts';
import type { Bump, Exposure } from './acceptances.ts';
import type { Status } from './lifecycle.ts';
import { within } from './time-limit.ts';

export interface ReceiptsOptions {
  readonly service: string;
  readonly instance: string;
  readonly maxViewAgeMs: number;
  readonly state: () => Status;
  /** How far each partition was applied, as of a time, ms since the epoch. */
  readonly partitions: (at: number) => readonly ReceiptPartition[];
  /** What each of some bumps came too late for. */
  readonly exposures: (bumps: readonly Bump[]) => readonly Exposure[];
  /** Rejects where the receipt is not delivered. */
  readonly send: (receipt: Receipt) => Promise<void>;
  /** Hears of requests that a bump came too late for. */
  readonly onExposed: (requests: number) => void;
  readonly onSent: (ok: boolean) => void;
  readonly onWarning: (message: string, error?: unknown) => void;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
}

/** How often a receipt is sent where there is no news, ms; and more often where the bound is short, which is a lease. */
const INTERVAL_MS = 1000;
const RECEIPTS_PER_BOUND = 2;
/** How close receipts follow each other at the most, ms. What happens in between shares one. */
const COALESCE_MS = 50;
/** Failures in a row after which it is an outage that somebody should hear of. */
const OUTAGE = 3;
/** Most events that wait to be said; of what is pushed out, the ticks tell. */
const MAX_UNSAID = 10_000;
/** Longest wait for the first receipt, ms: whoever is not known to be there is waited for by nobody. */
const FIRST_LIMIT_MS = 500;
/** Longest wait for the last receipt, ms: where it is missing, whoever waits for a revocation waits for this one's lease. */
const CLOSE_LIMIT_MS = 1000;

/** A bump as it was applied, and since when it should have been: both by this process' clock. */
export interface Applied extends Pick<Bump, 'since' | 'certainSince'> {
  readonly record: VersionRecord;
  readonly partition: number;
  readonly at: number;
}

/**
 * Says what the sidecar has applied: at once where there is news, and every second. One receipt is on its way at a time;
 * what was not delivered of the events that it named stands in the next one.
 */
export class Receipts {
  readonly #options: ReceiptsOptions;
  #startedAt: number | undefined;
  /** Those whose exposure is not counted yet. */
  #bumps: Applied[] = [];
  /** By the event's id, the newest application last. */
  readonly #unsaid = new Map<string, AppliedEvent>();
  #isNews = true;
  #sentAt = Number.NEGATIVE_INFINITY;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  readonly #first = Promise.withResolvers<void>();

  constructor(options: ReceiptsOptions) {
    this.#options = options;
  }

  /** Resolves once it has said that it is there, or cannot do that quickly. */
  async start(): Promise<void> {
    this.#startedAt = this.#options.now();
    this.#arm();
    await within(FIRST_LIMIT_MS, this.#first.promise).catch(() => {});
  }

  /** A bump was applied that raised a version. */
  applied(bump: Applied): void {
    this.#bumps.push(bump);
    this.news();
  }

  /** Something has changed that the next receipt should not wait a second with. */
  news(): void {
    if (this.#isNews) return;
    this.#isNews = true;
    this.#arm();
  }

  /** Says that the sidecar is closed, where that can be said quickly. */
  async close(): Promise<void> {
    if (this.#startedAt === undefined) return;
    clearTimeout(this.#timer);
    const last = Promise.resolve(this.#sending).then(() => this.#say());
    await within(CLOSE_LIMIT_MS, last).catch(() => {});
  }

  #arm(): void {
    const { state, now, maxViewAgeMs } = this.#options;
    if (this.#startedAt === undefined || this.#sending !== undefined || state() === 'closed') return;
    clearTimeout(this.#timer);
    const intervalMs = Math.min(INTERVAL_MS, maxViewAgeMs / RECEIPTS_PER_BOUND);
    const dueAt = this.#sentAt + (this.#isNews ? COALESCE_MS : intervalMs);
    this.#timer = setTimeout(() => this.#sayInTurn(), Math.max(0, dueAt - now())).unref();
  }

  #sayInTurn(): void {
    this.#sending = this.#say().then(() => {
      this.#sending = undefined;
      this.#arm();
    });
  }

  /** It never rejects. */
  async #say(): Promise<void> {
    const { send, now, onSent, onWarning } = this.#options;
    this.#isNews = false;
    this.#sentAt = now();
    try {
      this.#count();
      const receipt = this.#compose();
      await send(receipt);
      this.#failures = 0;
      this.#first.resolve();
      for (const event of receipt.applied) if (this.#unsaid.get(event.id) === event) this.#unsaid.delete(event.id);
      if (this.#unsaid.size > 0) this.#isNews = true;
      onSent(true);
    } catch (error) {
      this.#failures++;
      if (this.#failures === OUTAGE)
        onWarning('receipts are not delivered: what is applied here cannot be told', error);
      onSent(false);
    }
  }

  /** Sessions that a bump ends are accepted no more, so that it makes no difference to count a moment later. */
  #count(): void {
    const { exposures, onExposed } = this.#options;
    // An event is applied with the last of its scopes.
    const whole = new Set(this.#bumps.filter(({ record }) => !record.more).map(({ record }) => record.id));
    const bumps = this.#bumps.filter(({ record }) => whole.has(record.id));
    this.#bumps = this.#bumps.filter(({ record }) => !whole.has(record.id));
    const counted = exposures(
      bumps.map(({ record: { scope, current }, since, certainSince }) => ({ scope, current, since, certainSince })),
    );
    for (const [i, { record, partition, at, since }] of bumps.entries()) {
      const { requests, atLeast } = counted[i] ?? NONE;
      if (requests > 0) onExposed(requests);
      this.#note({
        id: record.id,
        partition,
        offset: record.offset,
        at: Math.round(at),
        since: Math.round(since),
        exposed: requests,
        ...(atLeast ? { atLeast } : {}),
      });
    }
  }

  /** An event may bump several scopes. */
  #note(event: AppliedEvent): void {
    const before = this.#unsaid.get(event.id);
    this.#unsaid.delete(event.id);
    const exposed = event.exposed + (before?.exposed ?? 0);
    this.#unsaid.set(event.id, { ...before, ...event, since: Math.max(event.since, before?.since ?? 0), exposed });
    const [oldest = ''] = this.#unsaid.keys();
    if (this.#unsaid.size > MAX_UNSAID) this.#unsaid.delete(oldest);
  }

  #compose(): Receipt {
    const { service, instance, maxViewAgeMs, state, partitions, now } = this.#options;
    const at = Math.round(now());
    const status = state();
    return {
      service,
      instance,
      state: status === 'idle' ? 'starting' : status,
      at,
      startedAt: Math.round(this.#startedAt ?? at),
      boundMs: maxViewAgeMs,
      partitions: partitions(at),
      applied: [...this.#unsaid.values()].slice(0, MAX_APPLIED),
    };
  }
}

const NONE: Exposure = { requests: 0, atLeast: false };
