import { type Tick, TOPICS, type VersionRecord } from '@curfew/contracts';
import { Replica, type ReplicaOptions, type SessionVersions, type Verdict } from '@curfew/replica';
import { contextOfHeaders, startProcessSpan } from '@curfew/telemetry';
import type { VersionsSink } from './kafka-versions-reader.ts';
import { Lifecycle, type Status } from './lifecycle.ts';
import type { BatchRecord } from './partition-feed.ts';

export interface VersionsViewOptions extends Required<Pick<ReplicaOptions, 'maxEntries' | 'maxClockSkewMs' | 'now'>> {
  readonly onWarning: (message: string) => void;
  /** Hears once that every bump since the horizon has been applied. */
  readonly onLive: () => void;
  /** What keeps the reader from having read everything, in words. */
  readonly missing: () => readonly string[];
}

const TOPIC = TOPICS.sessionVersions;

/** What the sidecar knows of session-versions: the replica, how it came about, and whether it is complete. */
export class VersionsView implements VersionsSink {
  readonly #options: VersionsViewOptions;
  readonly #lifecycle = new Lifecycle();
  /** Until the topic is found it holds nothing, and proves nothing. */
  #replica: Replica;
  /** How many partitions the topic has, once that is known. */
  partitions: number | undefined;
  /** Records that could not be understood. */
  undecodableRecords = 0;

  constructor(options: VersionsViewOptions) {
    this.#options = options;
    this.#replica = new Replica({ partitions: 0, horizon: Number.POSITIVE_INFINITY, now: options.now });
  }

  get status(): Status {
    return this.#lifecycle.status;
  }

  get entries(): number {
    return this.#replica.size;
  }

  /** @returns false where the lifecycle does not lead there. */
  turn(status: 'starting' | 'closed'): boolean {
    return this.#lifecycle.turn(status);
  }

  /** Decides by memory alone. What is not complete yet ends sessions, but proves none. */
  check(versions: SessionVersions): Verdict {
    const verdict = this.#replica.check(versions);
    return verdict === 'active' && !this.#lifecycle.complete ? 'unprovable' : verdict;
  }

  begin(partitions: number, horizon: number): void {
    const { maxEntries, maxClockSkewMs, now } = this.#options;
    this.partitions = partitions;
    this.#replica = new Replica({ partitions, horizon, maxEntries, maxClockSkewMs, now });
  }

  apply(
    partition: number,
    record: VersionRecord | Tick,
    announcedAt: number,
    offset: number,
    { headers }: Pick<BatchRecord, 'headers'>,
  ): void {
    if (record.kind === 'tick') {
      this.#replica.apply(partition, record, announcedAt);
      return;
    }
    const cause = contextOfHeaders((name) => headers.find(([key]) => key?.toString() === name)?.[1]?.toString());
    const span = startProcessSpan({ topic: TOPIC, partition, offset }, cause, 'apply session version');
    this.#replica.apply(partition, record, announcedAt);
    span.end();
  }

  undecodable(partition: number, announcedAt: number, offset: number): void {
    this.undecodableRecords++;
    this.#replica.raiseHorizon(announcedAt);
    this.#options.onWarning(`${TOPIC} partition ${partition} offset ${offset} cannot be understood`);
  }

  gap(partition: number): void {
    this.#replica.raiseHorizon(this.#options.now());
    this.#options.onWarning(`${TOPIC} partition ${partition} is not the log that was read before`);
  }

  progress(): void {
    const missing = this.#options.missing();
    if (missing.length > 0) {
      if (this.#lifecycle.turn('degraded')) this.#options.onWarning(`the feed is lost: ${missing.join('; ')}`);
    } else if (this.#lifecycle.turn('live')) this.#options.onLive();
  }
}
