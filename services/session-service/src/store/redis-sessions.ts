import {
  CurfewError,
  decodeSessionRecord,
  encodeNewRecord,
  encodeSessionRecord,
  handleOf,
  indexKey,
  MAX_RECORD_BYTES,
  recordBytes,
  type SessionRecord,
  sessionKey,
} from '@curfew/contracts';
import { answered, type RedisClient } from '@curfew/store';
import type { Exchange, Renewal, RolesGiven, SessionStore } from './session-store.ts';

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
    const handle = handleOf(record);
    const key = sessionKey(handle);
    const endsAt = Math.min(record.lastSeenAt + record.idleMs, record.expiresAt);
    // The record first, as the index is in another slot: what is in the index, and has no record, is over.
    await answered(this.#redis.multi().hset(key, fields).pexpireat(key, endsAt).exec());
    const [count = 0, stored] = await answered(
      this.#redis.curfewEnlist(indexKey(record.subject), handle, record.expiresAt, most, this.#now()),
    );
    if (stored !== 1) await answered(this.#redis.unlink(key));
    return { count, stored: stored === 1 };
  }

  async read(handle: string): Promise<SessionRecord | undefined> {
    const fields = await answered(this.#redis.hgetall(sessionKey(handle)).catch(rubbish));
    return this.#recordOf(handle, fields);
  }

  async find(sid: string): Promise<SessionRecord | undefined> {
    let found: SessionRecord | undefined;
    await along(sid, async (handle) => {
      found = await this.read(handle);
      return found?.replacedBy;
    });
    return found?.ended === undefined ? found : undefined;
  }

  async exchange(sid: string, generation: number, graceMs: number): Promise<Exchange> {
    const [outcome, ...held] = await answered(this.#redis.curfewExchange(sessionKey(sid), generation, graceMs));
    if (outcome === 'ended') return { outcome };
    if (outcome === 'absent' || outcome === 'replaced') return { outcome: 'absent' };
    const record = this.#recordOf(sid, outcome === 'invalid' ? RUBBISH : pairs(held));
    return record === undefined ? { outcome: 'absent' } : { outcome: outcome as 'exchanged', record };
  }

  async undelivered(sid: string, generation: number, until: number): Promise<void> {
    await answered(this.#redis.curfewUndelivered(sessionKey(sid), generation + 1, until));
  }

  async renew(sid: string, renewal: Renewal): Promise<void> {
    if ((await this.#update(sid, renewal)) === -1) throw tooLarge();
  }

  async setUx(session: SessionRecord, ux: Readonly<Record<string, string>>): Promise<void> {
    const done = await this.#update(handleOf(session), { ux });
    if (done === -1) throw tooLarge();
    if (done === 0) throw new CurfewError('session_not_found');
  }

  async replace(session: SessionRecord, successor: SessionRecord, graceMs: number): Promise<string | undefined> {
    const handle = handleOf(session);
    const goesOn = await answered(this.#redis.curfewReplace(sessionKey(handle), handleOf(successor), graceMs));
    await answered(this.#redis.zrem(indexKey(session.subject), handle));
    return goesOn === '' ? undefined : goesOn;
  }

  async discard(session: SessionRecord): Promise<void> {
    await this.#remove(handleOf(session), session.subject);
  }

  async keep(sid: string, subject: string, version: number, floorBefore: number, given?: RolesGiven): Promise<void> {
    const roles = given === undefined ? '' : JSON.stringify(given.roles);
    const rolesAt = given?.rolesAt ?? 0;
    await along(sid, (handle) =>
      answered(
        this.#redis.curfewKeep(sessionKey(handle), subject, version, floorBefore, MAX_RECORD_BYTES, roles, rolesAt),
      ),
    );
  }

  async remove(sid: string, subject: string): Promise<void> {
    await along(sid, (handle) => this.#remove(handle, subject));
  }

  async ofSubject(subject: string): Promise<SessionRecord[]> {
    const index = indexKey(subject);
    const handles = await answered(this.#redis.zrange(index, 0, '-1'));
    const records = await Promise.all(handles.map((handle) => this.read(handle)));
    const sessions = records
      .filter((record) => record !== undefined)
      .filter((record) => record.subject === subject && record.ended === undefined);
    const alive = new Set(sessions.map(handleOf));
    const over = handles.filter((handle) => !alive.has(handle));
    if (over.length > 0) await answered(this.#redis.zrem(index, ...over));
    return sessions.sort((a, b) => a.createdAt - b.createdAt);
  }

  /** In one step: whoever gives the session another handle was there before, or finds no record. */
  async #remove(handle: string, subject: string): Promise<string | undefined> {
    const key = sessionKey(handle);
    const [answers] = await answered(
      Promise.all([this.#redis.multi().hget(key, 'f').unlink(key).exec(), this.#redis.zrem(indexKey(subject), handle)]),
    );
    const [error, replacedBy] = answers?.[0] ?? [];
    return error || typeof replacedBy !== 'string' ? undefined : replacedBy;
  }

  #update(handle: string, change: Partial<SessionRecord>): Promise<number> {
    const fields = Object.entries(encodeSessionRecord(change)).flat();
    return answered(this.#redis.curfewUpdate(sessionKey(handle), MAX_RECORD_BYTES, ...fields));
  }

  #recordOf(handle: string, fields: Record<string, string>): SessionRecord | undefined {
    if (Object.keys(fields).length === 0) return undefined;
    const record = decodeSessionRecord(handle, fields);
    if (record.ok) return record.value;
    this.#onInvalid();
    return undefined;
  }
}

/** From handle to handle, as long as a step tells of a next one: where a record was replaced. */
async function along(sid: string, step: (handle: string) => Promise<string | undefined>): Promise<void> {
  // Somebody may have edited records so that they name each other.
  const seen = new Set<string>();
  for (let handle: string | undefined = sid; handle && !seen.has(handle); handle = await step(handle)) seen.add(handle);
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

const tooLarge = () => new CurfewError('session_record_too_large', `more than ${MAX_RECORD_BYTES} bytes`);
