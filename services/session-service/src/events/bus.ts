import type { ParseErrorCode, Tick, VersionRecord } from '@curfew/contracts';
import type { Span } from '@opentelemetry/api';
import type { LogRecord } from './log-record.ts';

/** A version record to announce, and the span that caused it. */
export interface Announcement {
  readonly record: VersionRecord;
  readonly cause: Span;
}

/** What the session service writes to Kafka. Each resolves after all in-sync replicas have it, or throws. */
export interface Bus {
  /** To session-versions, into the same partition that the events came from, in order, and behind them all the tick. */
  announce(partition: number, announcements: readonly Announcement[], tick?: Tick): Promise<void>;
  /** To account-events, one tick into each of the partitions. */
  tick(partitions: Iterable<number>, tick: number): Promise<void>;
  /** To the rejected topic, as read. */
  setAside(record: LogRecord, error: ParseErrorCode): Promise<void>;
  /** To account-events again, as read, into the partition that it belongs in. */
  forward(record: LogRecord, partition: number): Promise<void>;
}
