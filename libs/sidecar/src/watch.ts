import { Lifecycle, type Status } from './lifecycle.ts';
import type { StatusChange } from './options.ts';

/** How often the ages of the views are looked at, ms. */
const LOOK_INTERVAL_MS = 250;
/** How long an answer of the store counts as a sign that it can prove sessions, ms. */
const STORE_WORD_MS = 4 * LOOK_INTERVAL_MS;

export interface WatchOptions {
  readonly maxViewAgeMs: number;
  /** Ages of the views by partition, ms; none before the topic is known. */
  readonly viewAgesMs: () => readonly number[];
  /** What keeps the reader from having read everything, in words. */
  readonly missing: () => readonly string[];
  /** Whether the store can prove sessions now; undefined where there is none. It never rejects. */
  readonly storeProves: (() => Promise<boolean>) | undefined;
  /** What keeps the store from answering, in words, where that is known. */
  readonly storeTrouble: () => string | undefined;
  readonly onStatus: (change: StatusChange) => void;
  readonly onWarning: (message: string) => void;
  /** Each look begins with it. */
  readonly onLook: () => void;
  /** Clock, ms since the epoch; it never goes back. */
  readonly now: () => number;
}

/** Watches over the sidecar's life: which views are inside the bound, and what is wrong where they are not. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #lifecycle: Lifecycle;
  readonly #canServe = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;
  #asking = false;
  /** When the first view was seen inside the bound, ms on the clock. */
  #firstInsideAt = Number.POSITIVE_INFINITY;
  /** When the store last showed that it can prove sessions, ms on the clock. */
  #storeProvedAt = Number.NEGATIVE_INFINITY;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#lifecycle = new Lifecycle((from, to) => this.#tell(from, to));
    this.#canServe.promise.catch(() => {}); // Whoever awaits it hears it.
  }

  /** As of now, not as of the last look. */
  get state(): Status {
    this.#turn();
    return this.#lifecycle.status;
  }

  /** Resolves once sessions can be proven, by memory or by the store. Rejects where `stop` comes first. */
  get canServe(): Promise<void> {
    return this.#canServe.promise;
  }

  /** @returns false where it was started before. */
  start(): boolean {
    if (!this.#lifecycle.turn('starting')) return false;
    this.#timer = setInterval(() => this.look(), LOOK_INTERVAL_MS).unref();
    return true;
  }

  stop(reason: Error): void {
    clearInterval(this.#timer);
    this.#lifecycle.turn('closed');
    this.#canServe.reject(reason);
  }

  /** Takes in what may have changed. */
  look(): void {
    this.#options.onLook();
    const state = this.state;
    if (state === 'starting' || state === 'cut-off') this.#askStore();
    if (this.notReady().length === 0) this.#canServe.resolve();
  }

  /** What keeps the sidecar from proving any session, by memory or by the store, in words. */
  notReady(): readonly string[] {
    const state = this.state;
    if (state === 'live' || state === 'behind') return [];
    if (state === 'idle') return ['the sidecar is not started'];
    if (state === 'closed') return ['the sidecar is closed'];
    if (this.#options.now() - this.#storeProvedAt <= STORE_WORD_MS) return [];
    return this.#troubles();
  }

  /** What the state means, in words. */
  says(): string {
    this.#turn();
    return this.#words();
  }

  #words(): string {
    const state = this.#lifecycle.status;
    if (state === 'idle' || state === 'closed') return state;
    const ages = this.#options.viewAgesMs();
    if (state === 'live') return `live: all ${ages.length} views are at most ${inMs(Math.max(...ages))} old`;
    return `${state}: ${this.#troubles().join('; ')}`;
  }

  #troubles(): string[] {
    const { viewAgesMs, missing, maxViewAgeMs, storeProves } = this.#options;
    const troubles = [...missing()];
    const old = [...viewAgesMs().entries()].filter(([, age]) => age > maxViewAgeMs);
    if (old.length > 0) {
      const oldest = Math.max(...old.map(([, age]) => age));
      const views = `the view of partition ${old.map(([partition]) => partition).join(', ')}`;
      troubles.push(
        oldest === Number.POSITIVE_INFINITY
          ? `${views} has no tick yet`
          : `${views} is up to ${inMs(oldest)} old, and the bound is ${maxViewAgeMs} ms`,
      );
    }
    if (troubles.length === 0) troubles.push('catching up');
    if (storeProves === undefined) troubles.push('there is no Redis to read through to');
    else if (this.#options.now() - this.#storeProvedAt > STORE_WORD_MS) {
      const trouble = this.#options.storeTrouble();
      troubles.push(`Redis proves nothing either${trouble === undefined ? '' : ` (${trouble})`}`);
    }
    return troubles;
  }

  #turn(): void {
    const status = this.#lifecycle.status;
    if (status === 'idle' || status === 'closed') return;
    const { viewAgesMs, maxViewAgeMs, now } = this.#options;
    const ages = viewAgesMs();
    const inside = ages.filter((age) => age <= maxViewAgeMs).length;
    if (inside === 0) {
      this.#lifecycle.turn('cut-off');
      return;
    }
    this.#firstInsideAt = Math.min(this.#firstInsideAt, now());
    if (inside === ages.length) this.#lifecycle.turn('live');
    // The partitions catch up one after the other.
    else if (status !== 'starting' || now() - this.#firstInsideAt > maxViewAgeMs) this.#lifecycle.turn('behind');
  }

  #askStore(): void {
    const { storeProves, now } = this.#options;
    if (storeProves === undefined || this.#asking) return;
    this.#asking = true;
    const askedAt = now();
    void storeProves().then((proves) => {
      this.#asking = false;
      if (!proves) return;
      this.#storeProvedAt = askedAt;
      if (this.notReady().length === 0) this.#canServe.resolve();
    });
  }

  #tell(from: Status, to: Status): void {
    const { onStatus, onWarning } = this.#options;
    const says = to === 'live' || to === 'behind' || to === 'cut-off' ? this.#words() : to;
    onStatus({ from, to, says });
    if (from !== 'starting' && from !== 'idle' && to !== 'closed') onWarning(`the sidecar is ${says}`);
    else if (to === 'behind') onWarning(`the sidecar is ${says}`);
  }
}

const inMs = (ms: number): string => `${Math.round(ms)} ms`;
