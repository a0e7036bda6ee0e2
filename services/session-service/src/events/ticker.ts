export interface TickerOptions {
  /** The partitions that are this instance's now. */
  readonly partitions: () => Iterable<number>;
  /** Writes one tick into each of the partitions; rejects where the bus does not acknowledge. */
  readonly send: (partitions: Iterable<number>, tick: number) => Promise<void>;
  readonly intervalMs: number;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
}

/**
 * Writes ticks into the log (DESIGN section 5). A tick is stamped before it is sent: whoever reads it back, in order, has
 * read everything that was acknowledged before the stamp. One that fails is not missed; the next one says more.
 */
export class Ticker {
  readonly #options: TickerOptions;
  #timer: NodeJS.Timeout | undefined;
  #sending = false;

  constructor(options: TickerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.tick(), this.#options.intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Sends a tick now, unless one is on its way. */
  tick(): void {
    if (this.#sending || this.#timer === undefined) return;
    this.#sending = true;
    const { partitions, send, now } = this.#options;
    send(partitions(), now())
      .catch(() => {})
      .finally(() => {
        this.#sending = false;
      });
  }
}
