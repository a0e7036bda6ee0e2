import {
  CurfewError,
  decodeSessionRecord,
  encodeNewRecord,
  encodeSessionRecord,
  indexKey,
  MAX_RECORD_BYTES,
  recordBytes,
  type SessionRecord,
  sessionKey,
} from '@curfew/contracts';
import { answered, type RedisClient } from '@curfew/store';
import type { Exchange, Renewal, SessionStore } from './session-store.ts';

/** The session records in Redis, each under the hash of its id, and an index by subject. All of them expire. */
export class RedisSessions implements SessionStore {
  readonly #redis: RedisClient;
  readonly #now: () => number;
  readonly #onInvalid: () => void;

  /** @param onInvalid hears of each record that is none. */
  constructor(redis: RedisClient, now: () => number, onInvalid: () => void = () => {}) {
    this.#redis = redis;
    this.#now = now;
    this.#onInvalid = onInvalid;
  }

  async create(record: SessionRecord, most = 0): Promise<{ count: number; stored: boolean }> {
    const fields = encodeNewRecord(record);
    if (recordBytes(fields) > MAX_RECORD_BYTES) throw tooLarge();
    const key = sessionKey(record.sid);
    const endsAt = Math.min(record.lastSeenAt + record.idleMs, record.expiresAt);
    // The record first, as the index is in another slot: what is in the index, and has no record, is over.
    await answered(this.#redis.multi().hset(key, fields).pexpireat(key, endsAt).exec());
    const [count = 0, stored] = await answered(
      this.#redis.curfewEnlist(indexKey(record.subject), record.sid, record.expiresAt, most, this.#now()),
    );
    if (stored !== 1) await answered(this.#redis.unlink(key));
    return { count, stored: stored === 1 };
  }

  async read(sid: string): Promise<SessionRecord | undefined> {
    const fields = await answered(this.#redis.hgetall(sessionKey(sid)).catch(rubbish));
    return this.#recordOf(sid, fields);
  }

  async exchange(sid: string, generation: number, graceMs: number): Promise<Exchange> {
    const [outcome, ...held] = await answered(this.#redis.curfewExchange(sessionKey(sid), generation, graceMs));
    if (outcome === 'ended') return { outcome };
    if (outcome === 'absent' || outcome === 'replaced') return { outcome: 'absent' };
    const record = this.#recordOf(sid, outcome === 'invalid' ? RUBBISH : pairs(held));
    return record === undefined ? { outcome: 'absent' } : { outcome: outcome as 'exchanged', record };
  }

  async undelivered(sid: string, generation: number): Promise<void> {
    const key = sessionKey(sid);
    await answered(this.#redis.curfewUndelivered(key, generation + 1, this.#now() + DAY_MS));
  }

  async renew(sid: string, renewal: Renewal): Promise<void> {
    if ((await this.#update(sid, renewal)) === -1) throw tooLarge();
  }

  async setUx(sid: string, ux: Readonly<Record<string, string>>): Promise<void> {
    const done = await this.#update(sid, { ux });
    if (done === -1) throw tooLarge();
    if (done === 0) throw new CurfewError('session_not_found');
  }

  async replace(sid: string, subject: string, graceMs: number): Promise<void> {
    await Promise.all([
      this.#update(sid, { ended: 'replaced' }, graceMs),
      answered(this.#redis.zrem(indexKey(subject), sid)),
    ]);
  }

  async keep(sid: string, subject: string, version: number, floorBefore: number): Promise<void> {
    await answered(this.#redis.curfewKeep(sessionKey(sid), subject, version, floorBefore));
  }

  async remove(sid: string, subject: string): Promise<void> {
    await answered(Promise.all([this.#redis.unlink(sessionKey(sid)), this.#redis.zrem(indexKey(subject), sid)]));
  }

  async ofSubject(subject: string): Promise<SessionRecord[]> {
    const index = indexKey(subject);
    const sids = await answered(this.#redis.zrange(index, 0, '-1'));
    const records = await Promise.all(sids.map((sid) => this.read(sid)));
    const sessions = records
      .filter((record) => record !== undefined)
      .filter((record) => record.subject === subject && record.ended === undefined);
    const alive = new Set(sessions.map(({ sid }) => sid));
    const over = sids.filter((sid) => !alive.has(sid));
    if (over.length > 0) await answered(this.#redis.zrem(index, ...over));
    return sessions.sort((a, b) => a.createdAt - b.createdAt);
  }

  #update(sid: string, change: Partial<SessionRecord>, ttlMs = 0): Promise<number> {
    const fields = Object.entries(encodeSessionRecord(change)).flat();
    return answered(this.#redis.curfewUpdate(sessionKey(sid), MAX_RECORD_BYTES, ttlMs, ...fields));
  }

  #recordOf(sid: string, fields: Record<string, string>): SessionRecord | undefined {
    if (Object.keys(fields).length === 0) return undefined;
    const record = decodeSessionRecord(sid, fields);
    if (record.ok) return record.value;
    this.#onInvalid();
    return undefined;
  }
}

/** A day and more: as long as any session may live unused. */
const DAY_MS = 86_400_000;

/** Stands for a key that holds no hash. */
const RUBBISH: Record<string, string> = { '': '' };

/** @throws the error, unless it says that the key holds something else than a hash. */
function rubbish(error: Error): Record<string, string> {
  if (/\bWRONGTYPE\b/.test(error.message)) return RUBBISH;
  throw error;
}

const pairs = (flat: readonly string[]): Record<string, string> =>
  Object.fromEntries(flat.flatMap((field, i) => (i % 2 === 0 ? [[field, flat[i + 1] ?? '']] : [])));

const tooLarge = () => new CurfewError('session_record_too_large', `more than ${MAX_RECORD_BYTES} bytes`);
