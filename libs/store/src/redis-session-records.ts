import { sessionKey } from '@curfew/contracts';
import { answered, type RedisClient } from './redis-connection.ts';

/** A session's record as it is stored, and Redis' own time of the read: ms since the epoch. */
export interface StoredRecord {
  /** Empty where there is no record. */
  readonly fields: Readonly<Record<string, string>>;
  readonly now: number;
}

/** How exactly a record knows when its session was last used, ms. */
export const TOUCH_INTERVAL_MS = 60_000;

/**
 * Reads the record of a session that is being used.
 *
 * @param idHash of the id that is shown, `sessionIdHash`: whether it is the record's is for the caller to see.
 * @throws CurfewError `store_unavailable`
 */
export async function readUsedRecord(redis: RedisClient, sid: string, idHash: string): Promise<StoredRecord> {
  const [now, flat] = await answered(redis.curfewReadRecord(sessionKey(sid), idHash, TOUCH_INTERVAL_MS / 1000));
  const fields: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) fields[flat[i] ?? ''] = flat[i + 1] ?? '';
  return { fields, now };
}
