import { partitionOf, type SecurityEventToken, type SubjectId } from '@curfew/contracts';
import type { LogRecord } from '../../services/session-service/src/events/log-record.ts';

export const PARTITIONS = 12;

export const opaque = (id: string): SubjectId => ({ format: 'opaque', id });

/** A SET with one event. */
export const setOf = (
  type: string,
  sub_id: SubjectId,
  payload: SecurityEventToken['events'][string] = {},
  jti = `jti-${type}`,
): SecurityEventToken => ({
  iss: 'https://id.example.com',
  jti,
  iat: 1_795_507_200,
  sub_id,
  events: { [type]: payload },
});

/** A record of the account-event log, in the partition of `key`. */
export const recordOf = (key: string, value: unknown, place: Partial<LogRecord> = {}): LogRecord => ({
  partition: partitionOf(key, PARTITIONS),
  offset: 0,
  timestamp: 1_000,
  key: Buffer.from(key),
  value: Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)),
  headers: {},
  ...place,
});
