import { announcedUpTo, type ReceiptPartition, type Tick, TOPICS, type VersionRecord } from '@curfew/contracts';
import { Replica, type ReplicaOptions, type SessionVersions, type Verdict } from '@curfew/replica';
import { ATTR, contextOfHeaders, startProcessSpan } from '@curfew/telemetry';
import { context, type Span, trace } from '@opentelemetry/api';
import type { Clock } from './clock.ts';
import type { VersionsSink } from './kafka-versions-reader.ts';
import type { BatchRecord } from './partition-feed.ts';

export interface VersionsViewOptions
  extends Required<Pick<ReplicaOptions, 'maxEntries' | 'maxClockSkewMs' | 'windowMs'>> {
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
  /** Hears of each version that a record raised, in the context of the span that it did so in. */
  readonly onRaised: (record: VersionRecord, span: Span, partition: number) => void;
  /** Hears that what the reader says of itself may have changed. */
  readonly onProgress: () => void;
}

const TOPIC = TOPICS.sessionVersions;
/** The offset of a partition from which nothing was applied. */
const NOTHING = -1;

/** What the sidecar knows of session-versions: the replica, and how it came about. */
export class VersionsView implements VersionsSink {
  readonly #options: VersionsViewOptions;
  /** Until the topic is found it holds nothing, and proves nothing. */
  #replica: Replica;
  /** How many partitions the topic has, once that is known. */
  partitions: number | undefined;
  /** By partition, the offset in account-events of what was applied last; -1 before anything was. */
  #offsets: number[] = [];
  /** As `brokerLeadMs`, had this process' clock never leapt. */
  #steadyLeadMs = Number.NEGATIVE_INFINITY;
  /** Records that could not be understood. */
  undecodableRecords = 0;
  /** Answers that could not be decoded. */
  undecodableAnswers = 0;

  constructor(options: VersionsViewOptions) {
    this.#options = options;
    this.#replica = this.#newReplica(0, Number.POSITIVE_INFINITY);
  }

  get entries(): number {
    return this.#replica.size;
  }

  get skewMs(): number {
    return this.#replica.skewMs;
  }

  get largestLeadMs(): number {
    return this.#replica.largestLeadMs;
  }

  /**
   * How far a broker's clock is ahead of this process', ms, as the record tells that was on its way for the shortest time:
   * so much, or a little more. Below 0 where it is behind; -Infinity before the first record.
   */
  get brokerLeadMs(): number {
    return this.#steadyLeadMs - this.#options.clock.leaptMs();
  }

  /** Ages of the views by partition, ms; none before the topic is known. */
  viewAgesMs(): number[] {
    return Array.from({ length: this.partitions ?? 0 }, (_, partition) => this.#replica.viewAgeMs(partition));
  }

  /** How far each partition was applied, as of a time, ms since the epoch; none before the topic is known. */
  receiptPartitions(at: number): ReceiptPartition[] {
    return this.#offsets.map((offset, partition) => {
      const tick = this.#replica.newestTick(partition);
      return { offset, tick, ageMs: Math.round(at - tick + this.#replica.skewMs) };
    });
  }

  /** Decides by memory alone. */
  check(versions: SessionVersions, maxViewAgeMs: number): Verdict {
    return this.#replica.check(versions, maxViewAgeMs);
  }

  checkAt(versions: SessionVersions, maxViewAgeMs: number, elapsed: number): Verdict {
    return this.#replica.checkAt(versions, maxViewAgeMs, elapsed);
  }

  noteTick(tick: number): void {
    this.#replica.noteTick(tick);
  }

  /** Nothing is read any more: what is known ends sessions still, but proves none. */
  close(): void {
    this.#replica.raiseHorizon(Number.POSITIVE_INFINITY);
  }

  begin(partitions: number, horizon: number): void {
    const leadMs = this.#replica.largestLeadMs;
    this.partitions = partitions;
    this.#offsets = Array(partitions).fill(NOTHING);
    this.#replica = this.#newReplica(partitions, horizon);
    this.#replica.noteTick(this.#options.clock.now() + leadMs);
  }

  #newReplica(partitions: number, horizon: number): Replica {
    const { maxEntries, maxClockSkewMs, windowMs, clock } = this.#options;
    const { elapsed: now, epoch } = clock;
    return new Replica({ partitions, horizon, maxEntries, maxClockSkewMs, windowMs, now, epoch });
  }

  apply(
    partition: number,
    record: VersionRecord | Tick,
    announcedAt: number,
    offset: number,
    { headers }: Pick<BatchRecord, 'headers'>,
  ): void {
    this.#offsets[partition] = announcedUpTo(record);
    const { clock } = this.#options;
    this.#steadyLeadMs = Math.max(this.#steadyLeadMs, announcedAt - clock.now() + clock.leaptMs());
    if (record.kind === 'tick') {
      this.#replica.apply(partition, record, announcedAt);
      return;
    }
    const cause = contextOfHeaders((name) => headers.find(([key]) => key?.toString() === name)?.[1]?.toString());
    const span = startProcessSpan({ topic: TOPIC, partition, offset }, cause, 'apply session version');
    span.setAttribute(ATTR.why, record.why);
    if (this.#replica.apply(partition, record, announcedAt))
      context.with(trace.setSpan(cause, span), () => this.#options.onRaised(record, span, partition));
    span.end();
  }

  undecodable(partition: number, announcedAt: number, offset: number): void {
    this.undecodableRecords++;
    this.#replica.raiseHorizon(announcedAt);
    this.#options.onWarning(`${TOPIC} partition ${partition} offset ${offset} cannot be understood`);
  }

  unreadable(partition: number): void {
    this.undecodableAnswers++;
    this.#replica.dropView(partition);
    this.#options.onWarning(
      `${TOPIC} partition ${partition}: the answer cannot be decoded; it proves nothing until it can`,
    );
  }

  gap(partition: number): void {
    this.#offsets[partition] = NOTHING;
    this.#replica.raiseHorizon(this.#options.clock.now());
    this.#replica.dropView(partition);
    this.#options.onWarning(`${TOPIC} partition ${partition} is not the log that was read before`);
  }

  progress(): void {
    this.#options.onProgress();
  }
}
