import {
  CurfewError,
  decodeSessionRecord,
  encodeNewRecord,
  indexKey,
  MAX_RECORD_BYTES,
  MAX_WRITTEN_BYTES,
  recordBytes,
  type SessionRecord,
  sessionKey,
} from '@curfew/contracts';
import { answered, type RedisClient } from '@curfew/store';
import type { Exchange, NextId, Renewal, RolesGiven, SessionStore } from './session-store.ts';

/** The session records in Redis, each under a hash of its id's first half, and an index by subject. All of them expire. */
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
    if (recordBytes(fields) > MAX_WRITTEN_BYTES) throw tooLarge(MAX_WRITTEN_BYTES);
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

  async exchange(sid: string, generation: number, graceMs: number, attempt: string): Promise<Exchange> {
    const key = sessionKey(sid);
    const [outcome, ...held] = await answered(this.#redis.curfewExchange(key, generation, graceMs, attempt));
    const record = this.#recordOf(sid, outcome === 'invalid' ? RUBBISH : pairs(held));
    if (record === undefined || outcome === 'absent') return { outcome: 'absent' };
    return { outcome: outcome as 'exchanged', record };
  }

  async undelivered(sid: string, generation: number, attempt: string): Promise<void> {
    await answered(this.#redis.curfewUndelivered(sessionKey(sid), generation + 1, attempt));
  }

  async renew(sid: string, renewal: Renewal, id?: NextId): Promise<SessionRecord | undefined> {
    const { s, t, r, at, roles, rolesAt } = renewal;
    const versions = [s, t, r, at, JSON.stringify(roles), rolesAt] as const;
    const ids = id === undefined ? [] : [id.shown, id.next, id.graceMs];
    const held = await answered(this.#redis.curfewRenew(sessionKey(sid), MAX_RECORD_BYTES, ...versions, ...ids));
    if (held === 0) throw tooLarge(MAX_RECORD_BYTES);
    return this.#recordOf(sid, pairs(held));
  }

  async setUx(sid: string, ux: Readonly<Record<string, string>>): Promise<void> {
    const done = await answered(this.#redis.curfewSetUx(sessionKey(sid), MAX_WRITTEN_BYTES, JSON.stringify(ux)));
    if (done === -1) throw tooLarge(MAX_WRITTEN_BYTES);
    if (done === 0) throw new CurfewError('session_not_found');
  }

  async keep(sid: string, subject: string, version: number, floorBefore: number, given?: RolesGiven): Promise<void> {
    const roles = given === undefined ? '' : JSON.stringify(given.roles);
    const rolesAt = given?.rolesAt ?? 0;
    await answered(
      this.#redis.curfewKeep(sessionKey(sid), subject, version, floorBefore, MAX_RECORD_BYTES, roles, rolesAt),
    );
  }

  async remove(sid: string, subject: string): Promise<boolean> {
    const removed = [this.#redis.unlink(sessionKey(sid)), this.#redis.zrem(indexKey(subject), sid)];
    return (await answered(Promise.all(removed)))[0] === 1;
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

  #recordOf(sid: string, fields: Record<string, string>): SessionRecord | undefined {
    if (Object.keys(fields).length === 0) return undefined;
    const record = decodeSessionRecord(sid, fields);
    if (record.ok) return record.value;
    this.#onInvalid();
    return undefined;
  }
}

/** Stands for a key that holds no hash. */
const RUBBISH: Record<string, string> = { '': '' };

/** @throws the error, unless it says that the key holds something else than a hash. */
function rubbish(error: Error): Record<string, string> {
  if (/\bWRONGTYPE\b/.test(error.message)) return RUBBISH;
  throw error;
}

const pairs = (flat: readonly string[]): Record<string, string> =>
  Object.fromEntries(flat.flatMap((field, i) => (i % 2 === 0 ? [[field, flat[i + 1] ?? '']] : [])));

const tooLarge = (bytes: number) => new CurfewError('session_record_too_large', `more than ${bytes} bytes`);
