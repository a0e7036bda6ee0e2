import { encodeVersionRecord, positionKey, TOPICS } from '@curfew/contracts';
import type { RedisClient } from '@curfew/store';
import type { Producer } from 'kafkajs';
import { Ticker } from '../../services/session-service/src/events/ticker.ts';

/** How often the session service of a test ticks, ms. */
const INTERVAL_MS = 200;

/** Ticks into session-versions, as the session service forwards them; a bus that is away misses them. */
export const tickIntoVersions = (producer: () => Producer, partitions: number): Ticker =>
  ticker(partitions, async (numbers, tick) => {
    const record = encodeVersionRecord({ kind: 'tick', tick, offset: 0 });
    const messages = numbers.map((partition) => ({ ...record, partition }));
    await producer().send({ topic: TOPICS.sessionVersions, acks: -1, messages });
  });

/** Ticks into Redis, as the session service stores them. */
export const tickIntoRedis = (redis: RedisClient, partitions: number): Ticker =>
  ticker(partitions, async (numbers, tick) => {
    await Promise.all(numbers.map((partition) => redis.hset(positionKey(partition), 'tick', tick)));
  });

function ticker(partitions: number, send: (partitions: number[], tick: number) => Promise<void>): Ticker {
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  return new Ticker({
    partitions: () => all,
    send: (_, tick) => send(all, tick),
    intervalMs: INTERVAL_MS,
    now: Date.now,
  });
}
