import { setTimeout as sleep } from 'node:timers/promises';
import {
  CurfewError,
  decodeReceipt,
  type KafkaConnection,
  type Receipt,
  type Result,
  type Tick,
  TOPICS,
  type VersionRecord,
} from '@curfew/contracts';
import { KafkaTopicReader, type TopicReaderOptions } from '@curfew/sidecar/topic-reader';
import { KafkaVersionsReader } from '@curfew/sidecar/versions-reader';

/** A record as it was read. */
export interface LogEntry<Read> {
  readonly partition: number;
  readonly record: Read;
  /** When the broker appended it, ms since the epoch. */
  readonly appendedAt: number;
  /** Of its `traceparent` (W3C Trace Context); undefined without. */
  readonly traceId?: string;
}

export interface LogReading<Read> extends KafkaConnection {
  /** From when on, ms before now; 0: only what comes from now on. */
  readonly windowMs: number;
  readonly take: (entry: LogEntry<Read>) => void;
}

export interface OpenLog {
  readonly partitions: number;
  close(): Promise<void>;
}

/** Longest wait until a log was read to its present end, ms. */
const CATCH_UP_LIMIT_MS = 60_000;
/** Longest wait for Kafka's first answer, ms. */
const ANSWER_LIMIT_MS = 5000;

/** Reads session-versions, and goes on reading until it is closed. Resolves once the present end is reached. */
export const readVersions = (reading: LogReading<VersionRecord | Tick>): Promise<OpenLog> =>
  open(reading, (options) => new KafkaVersionsReader(options));

/** Reads the receipts, in the same way. */
export const readReceipts = (reading: LogReading<Receipt>): Promise<OpenLog> =>
  open(
    reading,
    (options) =>
      new KafkaTopicReader<Receipt>({
        ...options,
        topic: TOPICS.receipts,
        decode: (_key, value): Result<Receipt> => decodeReceipt(value),
      }),
  );

/** @throws CurfewError `bus_unavailable` where Kafka does not answer, or the log's end is not reached. */
async function open<Read>(
  { windowMs, take, ...kafka }: LogReading<Read>,
  readerOf: (options: Omit<TopicReaderOptions<Read>, 'topic' | 'decode'>) => KafkaTopicReader<Read>,
): Promise<OpenLog> {
  const caughtUp = Promise.withResolvers<void>();
  let partitions = 0;
  const reader: KafkaTopicReader<Read> = readerOf({
    ...kafka,
    clientId: 'curfew-cli',
    partitions: undefined,
    windowMs,
    now: Date.now,
    sink: {
      begin: (count) => {
        partitions = count;
      },
      apply: (partition, record, appendedAt, _offset, { headers }) =>
        take({ partition, record, appendedAt, ...traceOf(headers) }),
      // What cannot be understood says nothing that could be shown.
      undecodable: () => {},
      unreadable: () => {},
      gap: () => {},
      progress: () => {
        if (reader.notReady().length === 0) caughtUp.resolve();
      },
    },
  });
  reader.start();
  const limit = new AbortController();
  const wait = (ms: number) => sleep(ms, undefined, { signal: limit.signal, ref: false });
  const tooLate = async () => {
    await wait(ANSWER_LIMIT_MS);
    if (partitions > 0) await wait(CATCH_UP_LIMIT_MS);
    throw new CurfewError(
      'bus_unavailable',
      `Kafka at ${kafka.brokers.join(', ')}: ${reader.notReady().join('; ')}. Is CURFEW_KAFKA_BROKERS right?`,
    );
  };
  try {
    await Promise.race([caughtUp.promise, tooLate()]);
  } catch (error) {
    await reader.close();
    throw error;
  } finally {
    limit.abort();
  }
  return { partitions, close: () => reader.close() };
}

const TRACEPARENT = /^00-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}$/;

function traceOf(headers: readonly (readonly [Buffer | null, Buffer | null])[]): { traceId?: string } {
  const header = headers.find(([name]) => name?.toString() === 'traceparent');
  const [, traceId] = TRACEPARENT.exec(header?.[1]?.toString() ?? '') ?? [];
  return traceId === undefined ? {} : { traceId };
}
