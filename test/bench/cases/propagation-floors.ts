import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka } from '@curfew/publisher';
import { Consumer } from '@platformatic/kafka';
import { Redis } from 'ioredis';
import { report } from '../report.ts';

/**
 * What propagation costs at least on this machine: a record from its acknowledgement to a kafkajs consumer, one Redis
 * round trip, and a record from its send to a raw fetch, each with nothing around it, over topics like the real ones.
 * Each value is a sum of the three.
 */

const WARM_UP = 500;
const ROUNDS = 500;
const PAUSE_MS = 10;
const READ_UNCOMMITTED = 0;
/** As many as the real topics have. */
const PARTITIONS = 12;

const brokers = (process.env['CURFEW_KAFKA_BROKERS'] ?? '').split(',');
const kafka = createKafka({ brokers, clientId: 'bench-floors' });
const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }];
const topics = [`bench-in-${randomUUID()}`, `bench-out-${randomUUID()}`] as const;
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({
  waitForLeaders: true,
  topics: topics.map((topic) => ({ topic, numPartitions: PARTITIONS, configEntries })),
});

/** When the record came to the other process, ms since the epoch. */
let arrived = Promise.withResolvers<number>();
const joined = Promise.withResolvers<void>();
const groupConsumer = fork(new URL('../raw-consumer.ts', import.meta.url), [topics[0], brokers.join(',')]);
groupConsumer.on('message', (at) => (typeof at === 'number' ? arrived.resolve(at) : joined.resolve()));
await joined.promise;

const rawConsumer = new Consumer({
  clientId: 'bench-raw',
  groupId: 'bench-raw',
  bootstrapBrokers: brokers,
  retries: 0,
  isolationLevel: READ_UNCOMMITTED,
});
const { topics: described } = await rawConsumer.metadata({ topics: [topics[1]] });
const out = described.get(topics[1]);
const leader = out?.partitions[0];
let fetched = Promise.withResolvers<number>();
let closing = false;
async function fetchForEver(): Promise<void> {
  const offsets = new Array<bigint>(PARTITIONS).fill(0n);
  while (!closing) {
    const partitions = offsets.map((fetchOffset, partition) => ({
      partition,
      currentLeaderEpoch: leader?.leaderEpoch ?? 0,
      fetchOffset,
      lastFetchedEpoch: -1,
      partitionMaxBytes: 1024 * 1024,
    }));
    const { responses } = await rawConsumer.fetch({
      node: leader?.leader ?? 1,
      maxWaitTime: 500,
      topics: [{ topicId: out?.id ?? '', partitions }],
    });
    for (const { partitionIndex, records } of responses[0]?.partitions ?? []) {
      const batch = records?.at(-1);
      if (batch === undefined) continue;
      offsets[partitionIndex] = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
      fetched.resolve(performance.now());
    }
  }
}
const fetching = fetchForEver().catch(() => {});

const producer = kafka.producer({ allowAutoTopicCreation: false });
await producer.connect();
const redis = new Redis(process.env['CURFEW_REDIS_URL'] ?? '');
const value = Buffer.alloc(200, 'x');
const send = (topic: string, partition: number) => producer.send({ topic, acks: -1, messages: [{ value, partition }] });

async function floors(round: number): Promise<number> {
  arrived = Promise.withResolvers();
  await send(topics[0], round % PARTITIONS);
  const acknowledged = performance.timeOrigin + performance.now();
  const first = Math.max(0, (await arrived.promise) - acknowledged);

  const asked = performance.now();
  await redis.eval('return 1', 0);
  const store = performance.now() - asked;

  fetched = Promise.withResolvers();
  const sent = performance.now();
  await send(topics[1], round % PARTITIONS);
  const second = (await fetched.promise) - sent;
  await sleep(PAUSE_MS);
  return (first + store + second) * 1e6;
}

for (let i = 0; i < WARM_UP; i++) await floors(i);
const samples: number[] = [];
for (let i = 0; i < ROUNDS; i++) samples.push(await floors(i));
closing = true;
redis.disconnect();
groupConsumer.send('end');
await Promise.all([once(groupConsumer, 'exit'), producer.disconnect(), rawConsumer.close(true)]);
await fetching;
await admin.deleteTopics({ topics: [...topics] });
await admin.disconnect();
report(samples);
