import { decodeLogTick, decodeSet, decodeVersionRecord, effectsOf, partitionOf, TOPICS } from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import type { Admin, Kafka, KafkaMessage } from 'kafkajs';
import type { Announced, History, LoggedEvent, Place } from './history.ts';

const READ_LIMIT_MS = 30_000;

/** Sends a record that is no account event, behind the publisher's back. */
export function createPoisoner(brokers: readonly string[], partitions: number) {
  const producer = createKafka({ brokers, clientId: 'prove-poison' }).producer({ allowAutoTopicCreation: false });
  return {
    start: () => producer.connect(),
    send: async (text: string): Promise<Place> => {
      const partition = partitionOf(text, partitions);
      const messages = [{ key: text, value: text, partition }];
      const [answer] = await producer.send({ topic: TOPICS.accountEvents, acks: -1, messages });
      return { partition, offset: Number(answer?.baseOffset) };
    },
    close: () => producer.disconnect(),
  };
}

/** Reads the three logs from their beginning to their end. */
export async function readLogs(brokers: readonly string[]): Promise<Pick<History, 'log' | 'announced' | 'rejected'>> {
  const kafka = createKafka({ brokers, clientId: 'prove-check' });
  const admin = kafka.admin();
  await admin.connect();
  const log: LoggedEvent[] = [];
  const announced: Announced[] = [];
  const rejected: Place[] = [];
  try {
    await readAll(kafka, admin, {
      [TOPICS.accountEvents]: (partition, message) => {
        const event = loggedEvent(partition, message);
        if (event !== undefined) log.push(event);
      },
      [TOPICS.sessionVersions]: (partition, { key, value }) => {
        const record = decodeVersionRecord(key, value);
        if (record.ok) announced.push({ partition, ...record.value });
      },
      [TOPICS.rejected]: (_, { headers }) =>
        rejected.push({ partition: Number(headers?.['partition']), offset: Number(headers?.['offset']) }),
    });
  } finally {
    await admin.disconnect();
  }
  return { log, announced, rejected };
}

function loggedEvent(
  partition: number,
  { key, value, offset, timestamp, headers }: KafkaMessage,
): LoggedEvent | undefined {
  if (decodeLogTick(key, value) !== undefined) return undefined;
  const contentType = headers?.['content-type']?.toString();
  const set = decodeSet(value, contentType);
  if (!set.ok) return undefined;
  const effects = effectsOf(set.value).effects.map(({ scope, raise, blocked, keeps }) => ({
    scope,
    ends: raise === 'floor',
    ...(blocked === undefined ? {} : { blocked }),
    ...(keeps === undefined ? {} : { keeps }),
  }));
  return { partition, offset: Number(offset), time: Number(timestamp), id: set.value.jti, effects };
}

async function readAll(
  kafka: Kafka,
  admin: Admin,
  takers: Readonly<Record<string, (partition: number, message: KafkaMessage) => void>>,
): Promise<void> {
  const left = new Map<string, number>();
  for (const topic of Object.keys(takers))
    for (const { partition, high, low } of await admin.fetchTopicOffsets(topic))
      if (Number(high) > Number(low)) left.set(`${topic}/${partition}`, Number(high));
  const done = Promise.withResolvers<void>();
  const limit = setTimeout(
    () => done.reject(new Error(`not read to the end: ${[...left.keys()].join(', ')}`)),
    READ_LIMIT_MS,
  );
  const consumer = kafka.consumer({ groupId: `prove-${process.pid}-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: Object.keys(takers), fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const { topic, partition, messages } = batch;
      const end = left.get(`${topic}/${partition}`);
      if (end === undefined) return;
      for (const message of messages) if (Number(message.offset) < end) takers[topic]?.(partition, message);
      if (Number(batch.lastOffset()) + 1 >= end) left.delete(`${topic}/${partition}`);
      if (left.size === 0) done.resolve();
    },
  });
  try {
    if (left.size > 0) await done.promise;
  } finally {
    clearTimeout(limit);
    await consumer.disconnect();
  }
}
