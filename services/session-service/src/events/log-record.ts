/** A record of the account-event log, as it was read. */
export interface LogRecord {
  readonly partition: number;
  readonly offset: number;
  /** When the bus acknowledged it (LogAppendTime), ms since the epoch. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | undefined>>;
}

export const headerOf = (record: LogRecord, name: string): string | undefined => record.headers[name]?.toString('utf8');
