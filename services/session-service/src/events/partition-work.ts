import type { LogRecord } from './log-record.ts';
import { LogRestartedError } from './partition-positions.ts';
import type { Pipeline } from './pipeline.ts';

/** Largest number of records that go through the pipeline, and into one Lua script, at once. */
const CHUNK_RECORDS = 500;
const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 2000;

/** How long to wait before the next attempt: longer each time, with full jitter. */
export const backoffMs = (attempt: number, random: () => number): number =>
  random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);

export interface PartitionWorkOptions {
  readonly partition: number;
  /** Offset of the last record that the store is known to have applied; -1 for none. */
  readonly applied: number;
  /** Offset of the first record to take. */
  readonly next: number;
  readonly pipeline: Pick<Pipeline, 'process'>;
}

/** What a batch's reader can tell of it while it is worked on. */
export interface BatchControl {
  /** Keeps the group membership alive during long work. */
  heartbeat(): Promise<void>;
  /** false: the partition is another's now, or the reader stops. What was read is to be left. */
  isOurs(): boolean;
  /** Everything up to this offset is applied and announced. */
  done(offset: number): void;
}

/** Takes one partition's batches through the pipeline, in order. */
export class PartitionWork {
  readonly #options: PartitionWorkOptions;
  #applied: number;
  #next: number;
  #failures = 0;

  constructor(options: PartitionWorkOptions) {
    this.#options = options;
    this.#applied = options.applied;
    this.#next = options.next;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Returns when the batch is done with, or is no longer ours. It never tries again by itself: whoever reads the
   * partition pauses it, so that the others do not wait for it, and brings what is not done once more.
   *
   * @throws RollbackError where the store has lost writes, LogRestartedError where the log begins anew: the partition is
   *   to be positioned again. What the store and the bus throw.
   */
  async take(records: readonly LogRecord[], control: BatchControl): Promise<void> {
    const [first] = records;
    if (first !== undefined && first.offset < this.#next) throw new LogRestartedError(this.#options.partition);
    try {
      for (let i = 0; i < records.length && control.isOurs(); i += CHUNK_RECORDS) {
        const last = await this.#process(records.slice(i, i + CHUNK_RECORDS));
        control.done(last);
        await control.heartbeat();
      }
    } catch (error) {
      this.#failures++;
      throw error;
    }
  }

  async #process(chunk: readonly LogRecord[]): Promise<number> {
    const last = await this.#options.pipeline.process(this.#options.partition, this.#applied, chunk);
    this.#applied = Math.max(this.#applied, last);
    this.#next = last + 1;
    this.#failures = 0;
    return last;
  }
}
