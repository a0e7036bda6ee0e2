import type { Redis } from 'ioredis';
import type { Outbox, Waiting } from './outbox.ts';
import { answered, PREFIX } from './redis-connection.ts';

const KEY = `${PREFIX}outbox`;

/** Longer than any bus is down, and than any session that the events end lives. */
const TTL_MS = 30 * 24 * 60 * 60 * 1000;

/** The outbox as a list in Redis, in the order of the decisions. */
export class RedisOutbox implements Outbox {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async add(waiting: Waiting): Promise<void> {
    await answered(this.#redis.multi().rpush(KEY, JSON.stringify(waiting)).pexpire(KEY, TTL_MS).exec());
  }

  async remove(waiting: Waiting): Promise<void> {
    await answered(this.#redis.lrem(KEY, 1, JSON.stringify(waiting)));
  }

  async first(): Promise<Waiting | undefined> {
    const text = await answered(this.#redis.lindex(KEY, 0));
    return text === null ? undefined : (JSON.parse(text) as Waiting);
  }
}
