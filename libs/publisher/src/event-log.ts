/** Where a record stands in the account-event log. */
export interface LogPlace {
  readonly partition: number;
  readonly offset: number;
}

/** A record for the account-event log; its key decides its partition. */
export interface EventRecord {
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** The account-event log as the publisher needs it. */
export interface EventLog {
  /** Begins to connect, and goes on for as long as it takes. Resolves after the first attempt, good or bad. */
  start(): Promise<void>;
  /**
   * Resolves when all in-sync replicas hold the record.
   *
   * @throws CurfewError `bus_unavailable`; `topic_mismatch` where the topic is not the expected one. It may take as long
   *   as the client's retries take: the caller sets the limit.
   */
  append(record: EventRecord): Promise<LogPlace>;
  /** What keeps records from being appended, in words; empty when nothing is known to. */
  notReady(): readonly string[];
  /** Lets go of everything, after the records on their way. Idempotent. */
  close(): Promise<void>;
}
