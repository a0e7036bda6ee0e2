import { createHash } from 'node:crypto';
import { indexKey, isTier, sessionKey } from '@curfew/contracts';
import { answered, type RedisClient } from '@curfew/store';
import type { Renewal, SessionRecord, SessionStore } from './session-store.ts';

/** The session records in Redis, each under the hash of its id, and an index by subject. All of them expire. */
export class RedisSessions implements SessionStore {
  readonly #redis: RedisClient;
  readonly #now: () => number;

  constructor(redis: RedisClient, now: () => number) {
    this.#redis = redis;
    this.#now = now;
  }

  async create(record: SessionRecord, refreshHash: string): Promise<void> {
    const key = keyOf(record.sid);
    const index = indexKey(record.subject);
    // Two transactions, as the record and the index are in different slots; the record comes first, so that an index
    // entry never lacks one that was made. ioredis sends both at once.
    await answered(
      Promise.all([
        this.#redis
          .multi()
          .hset(key, { ...fieldsOf(record), refresh: refreshHash })
          .pexpireat(key, record.expiresAt)
          .exec(),
        this.#redis
          .multi()
          .zremrangebyscore(index, '-inf', this.#now())
          .zadd(index, record.expiresAt, record.sid)
          .pexpireat(index, record.expiresAt, 'GT')
          .pexpireat(index, record.expiresAt, 'NX')
          .exec(),
      ]),
    );
  }

  async read(sid: string): Promise<SessionRecord | undefined> {
    const fields = await answered(this.#redis.hgetall(keyOf(sid)));
    return recordOf(sid, fields);
  }

  async refresh(sid: string, shownHash: string, successorHash: string, renewal: Renewal): Promise<boolean> {
    const fields = Object.entries(fieldsOf(renewal)).flat();
    return (await answered(this.#redis.curfewRefresh(keyOf(sid), shownHash, successorHash, ...fields))) === 1;
  }

  async keep(sid: string, subject: string, version: number, floorBefore: number): Promise<void> {
    await answered(this.#redis.curfewKeep(keyOf(sid), subject, version, floorBefore));
  }

  async remove(sid: string, subject: string): Promise<void> {
    await answered(Promise.all([this.#redis.unlink(keyOf(sid)), this.#redis.zrem(indexKey(subject), sid)]));
  }

  async onDevice(subject: string, device: string): Promise<string[]> {
    const sids = await answered(this.#redis.zrange(indexKey(subject), 0, '-1'));
    const devices = await answered(Promise.all(sids.map((sid) => this.#redis.hget(keyOf(sid), 'device'))));
    return sids.filter((_, i) => devices[i] === device);
  }
}

const keyOf = (sid: string): string => sessionKey(createHash('sha256').update(sid).digest('base64url'));

/** A hash holds texts alone: lists as JSON, absent members not at all. */
function fieldsOf(record: Partial<SessionRecord>): Record<string, string | number> {
  const { sid: _, ...rest } = record;
  const fields: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(rest))
    if (value !== undefined) fields[name] = typeof value === 'object' ? JSON.stringify(value) : value;
  return fields;
}

function recordOf(sid: string, fields: Record<string, string>): SessionRecord | undefined {
  const { subject, tenant, acr, device, userAgent, ip } = fields;
  const tier = isTier(fields['tier']) ? fields['tier'] : undefined;
  if (subject === undefined) return undefined;
  const optional = { tenant, tier, acr, device, userAgent, ip };
  return {
    sid,
    subject,
    ...(Object.fromEntries(
      Object.entries(optional).filter(([, text]) => text !== undefined),
    ) as Partial<SessionRecord>),
    roles: JSON.parse(fields['roles'] ?? '[]') as string[],
    ...(fields['amr'] === undefined ? {} : { amr: JSON.parse(fields['amr']) as string[] }),
    rolesAt: Number(fields['rolesAt']),
    createdAt: Number(fields['createdAt']),
    expiresAt: Number(fields['expiresAt']),
    s: Number(fields['s']),
    t: Number(fields['t']),
    r: Number(fields['r']),
    at: Number(fields['at']),
  };
}
