import {
  encodeLogTick,
  encodeVersionRecord,
  type ParseErrorCode,
  type Tick,
  TOPICS,
  type VersionRecord,
} from '@curfew/contracts';
import { contextHeaders, endWithError, startSendSpan } from '@curfew/telemetry';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { IHeaders, Kafka, Producer } from 'kafkajs';
import type { Announcement, Bus } from './bus.ts';
import type { LogRecord } from './log-record.ts';

const ALL_IN_SYNC = -1;
const SLICE_BYTES = 256 * 1024;
/** Key, headers and framing of a version record, at most. */
const OVERHEAD_BYTES = 1024;

/** The session service's producer. */
export class KafkaBus implements Bus {
  readonly #producer: Producer;

  constructor(kafka: Kafka) {
    this.#producer = kafka.producer({ idempotent: false, allowAutoTopicCreation: false });
  }

  async connect(): Promise<void> {
    await this.#producer.connect();
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }

  async announce(partition: number, announcements: readonly Announcement[], tick?: Tick): Promise<void> {
    if (announcements.length === 0 && tick === undefined) return;
    const spans = announcements.map(({ cause }) =>
      startSendSpan({ topic: TOPICS.sessionVersions, partition }, trace.setSpan(ROOT_CONTEXT, cause)),
    );
    const announced = announcements.map(({ record }, i) => announcementOf(record, partition, contextHeaders(spans[i])));
    // Last, so that it cannot come before them.
    if (tick !== undefined) announced.push(announcementOf(tick, partition));
    try {
      for (const slice of slicesOf(announced))
        await this.#producer.send({ topic: TOPICS.sessionVersions, acks: ALL_IN_SYNC, messages: slice });
      for (const span of spans) span.end();
    } catch (error) {
      for (const span of spans) endWithError(span, error);
      throw error;
    }
  }

  async tick(partitions: Iterable<number>, tick: number): Promise<void> {
    const messages = Array.from(partitions, (partition) => ({ ...encodeLogTick(tick), partition }));
    if (messages.length > 0) await this.#producer.send({ topic: TOPICS.accountEvents, acks: ALL_IN_SYNC, messages });
  }

  async setAside(record: LogRecord, error: ParseErrorCode): Promise<void> {
    const { key, value } = record;
    const headers = {
      ...asRead(record),
      error,
      partition: String(record.partition),
      offset: String(record.offset),
    };
    await this.#producer.send({ topic: TOPICS.rejected, acks: ALL_IN_SYNC, messages: [{ key, value, headers }] });
  }

  async forward(record: LogRecord, partition: number): Promise<void> {
    const { key, value } = record;
    await this.#producer.send({
      topic: TOPICS.accountEvents,
      acks: ALL_IN_SYNC,
      messages: [{ key, value, partition, headers: asRead(record) }],
    });
  }
}

interface Announced {
  readonly record: VersionRecord | Tick;
  readonly message: {
    readonly key: string;
    readonly value: Buffer;
    readonly partition: number;
    readonly headers?: IHeaders;
  };
}

const announcementOf = (record: VersionRecord | Tick, partition: number, headers?: IHeaders): Announced => ({
  record,
  message: { ...encodeVersionRecord(record), partition, ...(headers && { headers }) },
});

/**
 * In requests that the topic takes: one request's messages are one record batch, which is read as a whole. Of an event that
 * needs several, what comes before the last says that more follows.
 */
function* slicesOf(announced: readonly Announced[]): Generator<Announced['message'][]> {
  let slice: Announced[] = [];
  let bytes = 0;
  for (const one of announced) {
    const { byteLength } = one.message.value;
    if (bytes + byteLength > SLICE_BYTES && slice.length > 0) {
      yield slice.map((earlier) => (earlier.record.offset === one.record.offset ? withMore(earlier) : earlier.message));
      slice = [];
      bytes = 0;
    }
    slice.push(one);
    bytes += byteLength + OVERHEAD_BYTES;
  }
  yield slice.map(({ message }) => message);
}

const withMore = ({ record, message }: Announced): Announced['message'] =>
  record.kind === 'tick' ? message : { ...message, ...encodeVersionRecord({ ...record, more: true }) };

function asRead({ headers }: LogRecord): IHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}
