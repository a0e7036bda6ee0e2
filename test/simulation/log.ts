/** One record of a partition, as the broker keeps it. */
export interface Entry {
  readonly offset: number;
  /** LogAppendTime, ms since the epoch by the broker's clock. */
  readonly timestamp: number;
  readonly key: Buffer;
  readonly value: Buffer;
}

/** A topic whose appends are acknowledged for good. */
export class Log {
  readonly #partitions: Entry[][];
  readonly #now: () => number;

  constructor(partitions: number, now: () => number) {
    this.#partitions = Array.from({ length: partitions }, () => []);
    this.#now = now;
  }

  append(partition: number, key: string, value: Buffer): Entry {
    const entries = this.entries(partition);
    const timestamp = this.#now();
    const entry = { offset: entries.length, timestamp, key: Buffer.from(key), value };
    entries.push(entry);
    return entry;
  }

  entries(partition: number): Entry[] {
    return this.#partitions[partition] ?? [];
  }

  /** The offset of the next record. */
  end(partition: number): number {
    return this.entries(partition).length;
  }

  /** The first offset whose record is not older than `since`; the end where there is none. */
  offsetAt(partition: number, since: number): number {
    const found = this.entries(partition).findIndex(({ timestamp }) => timestamp >= since);
    return found < 0 ? this.end(partition) : found;
  }
}
