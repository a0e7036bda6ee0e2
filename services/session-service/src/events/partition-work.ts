import { RollbackError } from '../store/version-store.ts';
import type { LogRecord } from './log-record.ts';
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
  readonly pipeline: Pick<Pipeline, 'process'>;
  /** Hears of each failure before the same records are tried again. */
  readonly onRetry: (error: unknown) => void;
  readonly sleep: (ms: number) => Promise<void>;
  /** From 0 up to 1. */
  readonly random: () => number;
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

/** Takes one partition's batches through the pipeline, in order, and tries again until they are through. */
export class PartitionWork {
  readonly #options: PartitionWorkOptions;
  #applied: number;

  constructor(options: PartitionWorkOptions) {
    this.#options = options;
    this.#applied = options.applied;
  }

  /**
   * Returns when the batch is done with, or is no longer ours.
   *
   * @throws RollbackError where the store has lost writes: the partition is to be positioned anew.
   */
  async take(records: readonly LogRecord[], control: BatchControl): Promise<void> {
    for (let first = 0; first < records.length && control.isOurs(); first += CHUNK_RECORDS)
      await this.#insist(records.slice(first, first + CHUNK_RECORDS), control);
  }

  async #insist(chunk: readonly LogRecord[], control: BatchControl): Promise<void> {
    const { partition, pipeline, onRetry, sleep, random } = this.#options;
    for (let attempt = 0; control.isOurs(); attempt++) {
      try {
        const last = await pipeline.process(partition, this.#applied, chunk);
        this.#applied = Math.max(this.#applied, last);
        control.done(last);
        await control.heartbeat();
        return;
      } catch (error) {
        if (error instanceof RollbackError) throw error;
        onRetry(error);
        await sleep(backoffMs(attempt, random));
        await control.heartbeat();
      }
    }
  }
}
