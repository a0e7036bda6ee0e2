import { encodeNewRecord, type SessionRecord, sessionKey } from '@curfew/contracts';
import { readUsedRecord } from '@curfew/store';
import { describe, expect, test } from 'vitest';
import { sessionRecord } from '../../support/session-records.ts';
import { onEachStore } from '../../support/stores.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Hash of the id that is shown. */
const ID = 'shown';
const NOW = Math.floor(Date.now() / 1000) * 1000;

onEachStore((redis) => {
  async function stored(members: Partial<SessionRecord>): Promise<SessionRecord> {
    const record = sessionRecord({ idHash: ID, ...members });
    const key = sessionKey(record.sid);
    const endsAt = Math.min(record.lastSeenAt + record.idleMs, record.expiresAt);
    await redis.client.multi().hset(key, encodeNewRecord(record)).pexpireat(key, endsAt).exec();
    return record;
  }
  const ttlOf = ({ sid }: SessionRecord) => redis.client.pttl(sessionKey(sid));
  const seenAt = async ({ sid }: SessionRecord) => Number(await redis.client.hget(sessionKey(sid), 'l')) * 1000;

  describe('the record of a session that is used', () => {
    test('is read with the time of Redis, and not written within a minute of its last use', async () => {
      const record = await stored({ lastSeenAt: NOW - MINUTE_MS / 2 });
      const { fields, now } = await readUsedRecord(redis.client, record.sid, ID);
      expect(fields).toMatchObject({ u: 'alice', l: String(record.lastSeenAt / 1000) });
      expect(Math.abs(now - Date.now())).toBeLessThan(5000);
      expect(await seenAt(record)).toBe(record.lastSeenAt);
    });

    test('lives on from then, and never beyond its end', async () => {
      const record = await stored({ lastSeenAt: NOW - HOUR_MS / 2 });
      const late = await stored({ lastSeenAt: NOW - HOUR_MS / 2, expiresAt: NOW + 10 * MINUTE_MS });
      for (const one of [record, late]) await readUsedRecord(redis.client, one.sid, ID);
      expect(await ttlOf(record)).toBeGreaterThan(HOUR_MS - 10_000);
      expect(await ttlOf(late)).toBeLessThanOrEqual(10 * MINUTE_MS);
      expect(await seenAt(record)).toBeGreaterThan(record.lastSeenAt);
    });

    test('is not kept alive where it is none: ended, edited, of another id, of another type, or gone', async () => {
      const ended = await stored({ lastSeenAt: NOW - HOUR_MS / 2, ended: 'refresh-reuse' });
      const edited = await stored({ lastSeenAt: NOW - HOUR_MS / 2 });
      await redis.client.hset(sessionKey(edited.sid), 'y', 'rubbish');
      const renewed = await stored({ lastSeenAt: NOW - HOUR_MS / 2, idHash: 'newer', previousIdHash: ID });
      for (const one of [ended, edited, renewed]) {
        await readUsedRecord(redis.client, one.sid, ID);
        expect(await ttlOf(one)).toBeLessThanOrEqual(HOUR_MS / 2);
      }
      const other = sessionRecord();
      await redis.client.set(sessionKey(other.sid), 'rubbish', 'PX', 10_000);
      expect((await readUsedRecord(redis.client, other.sid, ID)).fields).toEqual({ '': '' });
      const gone = sessionRecord();
      expect((await readUsedRecord(redis.client, gone.sid, ID)).fields).toEqual({});
      expect(await redis.client.exists(sessionKey(gone.sid))).toBe(0);
    });
  });
});
