import { setTimeout as sleep } from 'node:timers/promises';
import { CurfewError, kafkaRefusal } from '@curfew/contracts';
import type { Admin } from 'kafkajs';
import { AccountEvents, type AccountEventsOptions } from './kafka-account-events.ts';
import type { KafkaBus } from './kafka-bus.ts';
import { ensureTopics } from './kafka-topics.ts';
import { backoffMs } from './partition-work.ts';
import type { Step } from './plan.ts';
import { Ticker } from './ticker.ts';

export interface FeedOptions extends Omit<AccountEventsOptions, 'admin'> {
  readonly bus: KafkaBus;
  /** Time between two ticks, ms. */
  readonly tickIntervalMs: number;
  /** Oldest tick, ms of age, of a partition that is applied in time. */
  readonly maxViewAgeMs: number;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
}

/** `connecting` → `joining` → `reading`, back to `connecting` after a failure, and `closed` at last. */
type State = 'connecting' | 'joining' | 'reading' | 'closed';

/** How long a client that lost its broker may take to let go, ms. */
const CLOSE_LIMIT_MS = 3000;

/** All of the session service's work on Kafka: verifies the topics, then reads the log until it is closed. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #admin: Admin;
  readonly #ticker: Ticker;
  readonly #stop = new AbortController();
  #state: State = 'connecting';
  /** Per partition the newest tick that was read back here, ms since the epoch. */
  readonly #ticks = new Map<number, number>();
  #trouble: string | undefined;
  /** Why Kafka takes no tick, in words; undefined where it does, or does not answer. */
  #tickRefusal: string | undefined;
  #events: AccountEvents | undefined;
  #ended: Promise<void> | undefined;
  /** The topic of receipts was found to be as it should be: what they say may be believed. */
  canBelieveReceipts = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#admin = options.kafka.admin();
    this.#ticker = new Ticker({
      partitions: () => this.partitions,
      send: (partitions, tick) => this.#sendTick(partitions, tick),
      intervalMs: options.tickIntervalMs,
      now: options.now,
    });
  }

  /** Begins, and goes on trying for as long as Kafka is away. */
  start(): void {
    this.#ended ??= this.#run();
    this.#ticker.start();
  }

  /** What keeps account events from being applied, in words. */
  notReady(): string[] {
    if (this.#state === 'reading') return [...this.#late(), ...(this.#events?.notReady() ?? [])];
    const trouble = this.#trouble ?? this.#events?.refusal;
    return [`account events are not read (${this.#state}${trouble ? `: ${trouble}` : ''})`];
  }

  /** The partitions that are this instance's now. */
  get partitions(): readonly number[] {
    return this.#events?.partitions ?? [];
  }

  /** Hears of each record that was applied. */
  applied({ tick, record }: Step): void {
    if (tick !== undefined) this.#ticks.set(record.partition, tick);
  }

  #late(): string[] {
    const oldest = this.#options.now() - this.#options.maxViewAgeMs;
    const late = this.partitions.filter((partition) => (this.#ticks.get(partition) ?? 0) < oldest);
    if (late.length === 0) return [];
    const why = this.#tickRefusal === undefined ? '' : `: ${this.#tickRefusal}`;
    return [`account events are applied too late in partition ${late.join(', ')}${why}`];
  }

  async #sendTick(partitions: Iterable<number>, tick: number): Promise<void> {
    try {
      await this.#options.bus.tick(partitions, tick);
      this.#tickRefusal = undefined;
    } catch (error) {
      const refused = kafkaRefusal(error);
      if (refused && this.#tickRefusal === undefined) this.#options.warn('no tick is written', refused);
      this.#tickRefusal = refused?.detail;
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#ticker.stop();
    this.#stop.abort();
    await within(this.#events?.close());
    await within(this.#ended);
    await within(Promise.all([this.#admin.disconnect(), this.#options.bus.close()]));
  }

  async #run(): Promise<void> {
    for (let attempt = 0; this.#state !== 'closed'; attempt++) {
      try {
        await this.#read(() => {
          attempt = 0;
        });
      } catch (error) {
        await this.#fail(error, attempt);
      }
    }
  }

  async #read(onJoin: () => void): Promise<never> {
    const { bus, partitions, warn } = this.#options;
    await Promise.all([this.#admin.connect(), bus.connect()]);
    const mismatch = await ensureTopics(this.#admin, partitions);
    this.canBelieveReceipts = mismatch === undefined;
    if (mismatch) warn('no revocation is said to be effective: put the topic right, and start this anew', mismatch);
    this.#stop.signal.throwIfAborted();
    this.#enter('joining');
    this.#events = new AccountEvents({ ...this.#options, admin: this.#admin });
    return await this.#stopped(
      this.#events.read(() => {
        this.#trouble = undefined;
        this.#enter('reading');
        this.#ticker.tick();
        onJoin();
      }),
    );
  }

  async #fail(error: unknown, attempt: number): Promise<void> {
    await within(this.#events?.close());
    this.#events = undefined;
    if (this.#state === 'closed') return;
    this.#enter('connecting');
    const refused = kafkaRefusal(error);
    this.#trouble =
      refused?.detail ?? (error instanceof CurfewError ? error.message : `Kafka: ${(error as Error).message}`);
    this.#options.warn('account events are not read; trying again', refused ?? error);
    await sleep(backoffMs(attempt, Math.random), undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  #enter(state: State): void {
    if (this.#state !== 'closed') this.#state = state;
  }

  /** The work, or a rejection as soon as the feed is closed. */
  #stopped(work: Promise<never>): Promise<never> {
    const { signal } = this.#stop;
    const closed = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('closed')), { once: true });
    });
    return Promise.race([work, closed]);
  }
}

/** Waits for a client to let go, but not for ever, and whatever it throws is past caring about. */
async function within(closing: Promise<unknown> | undefined): Promise<void> {
  await Promise.race([closing?.catch(() => {}), sleep(CLOSE_LIMIT_MS, undefined, { ref: false })]);
}
