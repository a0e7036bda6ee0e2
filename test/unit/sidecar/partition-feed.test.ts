import { decodeVersionRecord, encodeVersionRecord, type Tick, type VersionRecord } from '@curfew/contracts';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type Batch,
  type FeedSink,
  heard,
  loseLeader,
  newPartitionFeed,
  notCaughtUp,
  type PartitionAnswer,
  type PartitionFeed,
  suspect,
  takeAnswer,
  takeEmptyAnswer,
} from '../../../libs/sidecar/src/partition-feed.ts';

const LOG_APPEND_TIME = 0b1000;
const CONTROL = 0b10_0000;

const record = (s: number): VersionRecord => ({
  kind: 'version',
  scope: 'u:alice',
  current: s,
  floor: s,
  at: 0,
  why: 'x',
  id: 'x',
  offset: 0,
});

interface Applied {
  readonly record: VersionRecord | Tick;
  readonly announcedAt: number;
  readonly offset: number;
}

let feed: PartitionFeed;
let applied: Applied[];
let undecodable: { announcedAt: number; offset: number }[];
let gaps: number;
let unreadable: number[];

const sink: FeedSink<VersionRecord | Tick> = {
  decode: decodeVersionRecord,
  apply: (_partition, of, announcedAt, offset) => applied.push({ record: of, announcedAt, offset }),
  undecodable: (_partition, announcedAt, offset) => undecodable.push({ announcedAt, offset }),
  unreadable: (partition) => unreadable.push(partition),
  gap: () => gaps++,
};

beforeEach(() => {
  feed = { ...newPartitionFeed(3), offset: 5n, target: 8n, leader: 1, leaderEpoch: 2 };
  applied = [];
  undecodable = [];
  gaps = 0;
  unreadable = [];
});

const batchOf = (firstOffset: number, records: (VersionRecord | Tick | null)[], batch: Partial<Batch> = {}): Batch => ({
  firstOffset: BigInt(firstOffset),
  lastOffsetDelta: records.length - 1,
  partitionLeaderEpoch: 2,
  attributes: LOG_APPEND_TIME,
  firstTimestamp: 1000n,
  maxTimestamp: 2000n,
  records: records.map((of, i) => {
    const encoded = of === null ? undefined : encodeVersionRecord(of);
    return {
      offsetDelta: i,
      timestampDelta: BigInt(i * 10),
      key: encoded ? Buffer.from(encoded.key) : null,
      value: encoded?.value ?? null,
      headers: [],
    };
  }),
  ...batch,
});
const answer = (records: Batch[] | null, more: Partial<PartitionAnswer> = {}): PartitionAnswer => ({
  errorCode: 0,
  highWatermark: 100n,
  records,
  ...more,
});
const take = (of: PartitionAnswer, asked = feed.offset) => takeAnswer(feed, asked, of, sink, (code) => `error ${code}`);

describe('the records of an answer', () => {
  test('are applied in order, and the next fetch begins behind them', () => {
    take(answer([batchOf(5, [record(1), record(2)]), batchOf(7, [{ kind: 'tick', tick: 9, offset: 0 }])]));
    expect(applied.map(({ offset }) => offset)).toEqual([5, 6, 7]);
    expect(feed.offset).toBe(8n);
    expect(feed.readEpoch).toBe(2);
  });

  test('carry the time at which the broker appended their batch', () => {
    take(answer([batchOf(5, [record(1), record(2)])]));
    expect(applied.map(({ announcedAt }) => announcedAt)).toEqual([2000, 2000]);
  });

  test('carry their own time where the topic keeps the time of creation', () => {
    take(answer([batchOf(5, [record(1), record(2)], { attributes: 0 })]));
    expect(applied.map(({ announcedAt }) => announcedAt)).toEqual([1000, 1010]);
  });

  test('that lie before the asked offset, in a batch that reaches over it, are left out', () => {
    take(answer([batchOf(3, [record(1), record(2), record(3)])]));
    expect(applied.map(({ offset }) => offset)).toEqual([5]);
    expect(feed.offset).toBe(6n);
  });

  test('may jump: a compacted log has holes, even whole batches without a record', () => {
    take(answer([batchOf(40, [record(1)]), batchOf(50, [], { lastOffsetDelta: 9 })]));
    expect(applied.map(({ offset }) => offset)).toEqual([40]);
    expect(feed.offset).toBe(60n);
    expect(gaps).toBe(0);
  });

  test('never bring the place back', () => {
    take(answer([batchOf(1, [record(1), record(2)])]));
    expect(feed.offset).toBe(5n);
    expect(applied).toEqual([]);
  });

  test('that cannot be understood are told with their time, and do not stop the partition', () => {
    take(answer([batchOf(5, [null, record(2)])]));
    expect(undecodable).toEqual([{ announcedAt: 2000, offset: 5 }]);
    expect(applied.map(({ offset }) => offset)).toEqual([6]);
  });

  test('of a transaction marker are no records of ours', () => {
    take(answer([batchOf(5, [null], { attributes: LOG_APPEND_TIME | CONTROL })]));
    expect(undecodable).toEqual([]);
    expect(feed.offset).toBe(6n);
  });
});

describe('a partition', () => {
  test('has caught up once the end is reached that the log had at the start', () => {
    expect(notCaughtUp(feed)).toBe('catching up');
    take(answer([batchOf(5, [record(1), record(2)])]));
    expect(notCaughtUp(feed)).toBe('catching up');
    take(answer([batchOf(7, [record(3)])]));
    expect(notCaughtUp(feed)).toBeUndefined();
  });

  test('has caught up when the log may be read to that end, and nothing is left before it', () => {
    takeEmptyAnswer(feed, feed.offset, answer(null));
    expect(notCaughtUp(feed)).toBeUndefined();
  });

  test('has not caught up by an answer that had no room for it, or that does not reach that end', () => {
    take(answer(null));
    takeEmptyAnswer(feed, feed.offset, answer(null, { highWatermark: 7n }));
    takeEmptyAnswer(feed, 4n, answer(null));
    expect(notCaughtUp(feed)).toBe('catching up');
  });

  test('that has not been placed has not caught up', () => {
    expect(notCaughtUp(newPartitionFeed(0))).toBe('catching up');
  });

  test.each([
    ['the leader moved (NOT_LEADER_OR_FOLLOWER)', 6],
    ['the leader moved on (FENCED_LEADER_EPOCH)', 74],
    ['the broker does not know of the leader yet (UNKNOWN_LEADER_EPOCH)', 76],
    ['the topic is gone (UNKNOWN_TOPIC_OR_PARTITION)', 3],
    ['another topic has the name (UNKNOWN_TOPIC_ID)', 100],
    ['the disk fails (KAFKA_STORAGE_ERROR)', 56],
    ['the reader may not read (TOPIC_AUTHORIZATION_FAILED)', 29],
    ['a code that nobody knows comes', 999],
  ])('looks for its leader anew, in the same place, when %s', (_name, errorCode) => {
    take(answer(null, { errorCode }));
    expect(feed).toMatchObject({ leader: undefined, offset: 5n, failures: 1, trouble: `error ${errorCode}` });
    expect(gaps).toBe(0);
    take(answer(null, { errorCode }));
    expect(feed.failures).toBe(2);
  });

  test.each([
    ['the log ends below the place', { errorCode: 1 }],
    ['the log took another way below the place', { divergingEpoch: { epoch: 1 } }],
  ])('loses its place, and says that records may be missing, when %s', (_name, cut) => {
    take(answer([batchOf(5, [record(1)])], cut));
    expect(feed).toMatchObject({ leader: undefined, offset: undefined, readEpoch: -1 });
    expect(notCaughtUp(feed)).toBe('the log was cut below what was read');
    expect(gaps).toBe(1);
    expect(applied).toEqual([]);
  });

  test.each([
    ['has lost', undefined],
    ['has found again elsewhere', 2n],
  ])('takes no answer to a place that it %s while the answer was on its way', (_name, offset) => {
    feed.offset = offset;
    take(answer([batchOf(5, [record(1)])]), 5n);
    take(answer(null, { errorCode: 1 }), 5n);
    expect([applied, gaps, feed.offset]).toEqual([[], 0, offset]);
  });

  test('without a diverging epoch has not diverged', () => {
    take(answer(null, { divergingEpoch: { epoch: -1 } }));
    expect(gaps).toBe(0);
  });

  test('in an answer that cannot be decoded is fetched alone, and only alone it is the one in trouble', () => {
    const other = newPartitionFeed(4);
    suspect([feed, other], sink);
    expect([feed.suspect, other.suspect, unreadable]).toEqual([true, true, []]);
    expect(feed).toMatchObject({ leader: 1, offset: 5n, failures: 0 });
    suspect([feed], sink);
    expect(feed).toMatchObject({ leader: undefined, offset: 5n, failures: 1, trouble: 'the answer cannot be decoded' });
    expect([unreadable, gaps]).toEqual([[3], 0]);
  });

  test('is out of trouble with the first answer, and with the silence of a fetch session', () => {
    for (const recover of [() => take(answer(null)), () => heard(feed)]) {
      loseLeader(feed, 'has no leader');
      expect(notCaughtUp({ ...feed, target: 0n })).toBe('has no leader');
      recover();
      expect(feed).toMatchObject({ failures: 0, trouble: undefined });
    }
  });
});
