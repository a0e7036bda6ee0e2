import { OUTBOX_KEY } from '@curfew/contracts';
import { answered, type RedisClient } from '@curfew/store';
import type { Outbox, Waiting } from './outbox.ts';

/** Longer than any bus is down, and than any session that the events end lives. */
const TTL_MS = 30 * 24 * 60 * 60 * 1000;

/** The outbox as a list in Redis, in the order of the decisions. */
export class RedisOutbox implements Outbox {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async add(waiting: Waiting): Promise<void> {
    await answered(this.#redis.multi().rpush(OUTBOX_KEY, JSON.stringify(waiting)).pexpire(OUTBOX_KEY, TTL_MS).exec());
  }

  async remove(waiting: Waiting): Promise<void> {
    await answered(this.#redis.lrem(OUTBOX_KEY, 1, JSON.stringify(waiting)));
  }

  async first(): Promise<Waiting | undefined> {
    const text = await answered(this.#redis.lindex(OUTBOX_KEY, 0));
    return text === null ? undefined : (JSON.parse(text) as Waiting);
  }
}
