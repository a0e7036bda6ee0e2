import type { Result } from '@curfew/contracts';

/** What a fetch tells of one partition: the part of Kafka's answer (Fetch, versions 12 to 17) that is looked at. */
export interface PartitionAnswer {
  readonly errorCode: number;
  /** Set where the log no longer has what was read from it: its epochs went another way. */
  readonly divergingEpoch?: { readonly epoch: number };
  /** Up to where the log may be read. */
  readonly highWatermark: bigint;
  readonly records?: readonly Batch[] | null;
}

export interface Batch {
  readonly firstOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly partitionLeaderEpoch: number;
  readonly attributes: number;
  readonly firstTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly records: readonly BatchRecord[];
}

export interface BatchRecord {
  readonly offsetDelta: number;
  readonly timestampDelta: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
}

/** Who takes in what the feed reads. Times in ms since the epoch. */
export interface FeedSink<Read> {
  decode(key: Buffer | null, value: Buffer | null): Result<Read>;
  apply(partition: number, record: Read, announcedAt: number, offset: number, raw: BatchRecord): void;
  /** A record that cannot be understood: what it announced is unknown. */
  undecodable(partition: number, announcedAt: number, offset: number): void;
  /** An answer about this partition alone cannot be decoded. Nothing was taken from it; it is asked for again. */
  unreadable(partition: number): void;
  /** What was announced up to now may be missing, for good. */
  gap(partition: number): void;
}

/** Where the reading of one partition stands. */
export interface PartitionFeed {
  readonly partition: number;
  /** Next offset to read; undefined: to be found by time. */
  offset: bigint | undefined;
  /** The log's end when the reading began. To have reached it is to have caught up. */
  target: bigint;
  /** Node that is being read from; undefined: to be found. */
  leader: number | undefined;
  leaderEpoch: number;
  /** Epoch of the newest batch that was read; −1 before the first. */
  readEpoch: number;
  /** Failures in a row. */
  failures: number;
  /** It was in an answer that cannot be decoded, and is fetched alone until one can: to tell which partition it is. */
  suspect: boolean;
  /** Why it is not being read, in words. */
  trouble: string | undefined;
}

export const newPartitionFeed = (partition: number): PartitionFeed => ({
  partition,
  offset: undefined,
  target: 0n,
  leader: undefined,
  leaderEpoch: -1,
  readEpoch: -1,
  failures: 0,
  suspect: false,
  trouble: undefined,
});

const LOG_APPEND_TIME = 0b1000;
const CONTROL = 0b10_0000;

const NONE = 0;
const OFFSET_OUT_OF_RANGE = 1;

/** What still keeps a partition from being read to its end, in words. */
export function notCaughtUp({ trouble, offset, target }: PartitionFeed): string | undefined {
  if (trouble !== undefined) return trouble;
  return offset === undefined || offset < target ? 'catching up' : undefined;
}

/** The leader answers, and finds nothing wrong. */
export function heard(feed: PartitionFeed): void {
  feed.failures = 0;
  feed.trouble = undefined;
}

/** An answer about these partitions cannot be decoded. One that was fetched alone is the one in trouble. */
export function suspect<Read>(feeds: readonly PartitionFeed[], sink: FeedSink<Read>): void {
  for (const feed of feeds) feed.suspect = true;
  const [feed] = feeds;
  if (feed === undefined || feeds.length > 1) return;
  loseLeader(feed, 'the answer cannot be decoded');
  sink.unreadable(feed.partition);
}

/** Stops reading from the leader; the next one is looked for after a pause that grows with each failure. */
export function loseLeader(feed: PartitionFeed, trouble: string): void {
  feed.leader = undefined;
  feed.failures++;
  feed.trouble = trouble;
}

/** The log is not the one that was read before: begins anew, and says that records may be missing. */
export function losePlace<Read>(feed: PartitionFeed, trouble: string, sink: FeedSink<Read>): void {
  feed.offset = undefined;
  feed.readEpoch = -1;
  loseLeader(feed, trouble);
  sink.gap(feed.partition);
}

/**
 * Takes in one partition's part of an answer. An error of any kind loses the leader, and the one that says that the log
 * does not have the next offset loses the place too. That offsets jump is normal: a compacted log has holes.
 *
 * @param asked the offset that was asked for. The answer to a place that was lost meanwhile is of another log.
 * @param nameOf the error code's name.
 */
export function takeAnswer<Read>(
  feed: PartitionFeed,
  asked: bigint | undefined,
  answer: PartitionAnswer,
  sink: FeedSink<Read>,
  nameOf: (errorCode: number) => string,
): void {
  if (asked === undefined || feed.offset !== asked) return;
  const diverged = answer.divergingEpoch !== undefined && answer.divergingEpoch.epoch >= 0;
  if (answer.errorCode === OFFSET_OUT_OF_RANGE || diverged)
    losePlace(feed, 'the log was cut below what was read', sink);
  else if (answer.errorCode !== NONE) loseLeader(feed, nameOf(answer.errorCode));
  else takeBatches(feed, answer.records ?? [], sink);
}

function takeBatches<Read>(feed: PartitionFeed, batches: readonly Batch[], sink: FeedSink<Read>): void {
  heard(feed);
  for (const batch of batches) takeBatch(feed, batch, sink);
}

/**
 * Looks at an answer that brought no record of any partition: what was asked for from below the end is not there, because
 * compaction took it. An answer that is empty for one partition says nothing: it may have been full before its turn.
 */
export function takeEmptyAnswer(feed: PartitionFeed, asked: bigint | undefined, answer: PartitionAnswer): void {
  const isAnswered = answer.errorCode === NONE && asked !== undefined && feed.offset === asked;
  if (isAnswered && asked < feed.target && answer.highWatermark >= feed.target) feed.target = asked;
}

function takeBatch<Read>(feed: PartitionFeed, batch: Batch, sink: FeedSink<Read>): void {
  const from = feed.offset ?? 0n;
  if (!(batch.attributes & CONTROL)) {
    for (const record of batch.records) {
      const offset = batch.firstOffset + BigInt(record.offsetDelta);
      if (offset >= from) takeRecord(feed.partition, record, Number(offset), announcedAt(batch, record), sink);
    }
  }
  const next = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
  if (next > from) feed.offset = next;
  feed.readEpoch = batch.partitionLeaderEpoch;
}

/** With LogAppendTime the broker stamps the batch alone, and its records keep their producer's times. */
function announcedAt(batch: Batch, record: BatchRecord): number {
  return Number(batch.attributes & LOG_APPEND_TIME ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta);
}

function takeRecord<Read>(
  partition: number,
  raw: BatchRecord,
  offset: number,
  time: number,
  sink: FeedSink<Read>,
): void {
  const record = sink.decode(raw.key, raw.value);
  if (record.ok) sink.apply(partition, record.value, time, offset, raw);
  else sink.undecodable(partition, time, offset);
}
