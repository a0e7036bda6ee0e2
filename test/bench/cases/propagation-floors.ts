import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka } from '@curfew/publisher';
import { Consumer } from '@platformatic/kafka';
import { Redis } from 'ioredis';
import { report } from '../report.ts';

/**
 * What propagation costs at least on this machine: a record from its acknowledgement to a kafkajs consumer, one Redis
 * round trip, and a record from its send to a raw fetch, each with nothing around it. Each value is a sum of the three.
 */

const WARM_UP = 100;
const ROUNDS = 500;
const PAUSE_MS = 10;
const READ_UNCOMMITTED = 0;

const brokers = (process.env['CURFEW_KAFKA_BROKERS'] ?? '').split(',');
const kafka = createKafka({ brokers, clientId: 'bench-floors' });
const topics = [`bench-in-${randomUUID()}`, `bench-out-${randomUUID()}`] as const;
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ waitForLeaders: true, topics: topics.map((topic) => ({ topic, numPartitions: 1 })) });

let arrived = Promise.withResolvers<number>();
const groupConsumer = kafka.consumer({ groupId: topics[0], maxWaitTimeInMs: 500 });
const joined = Promise.withResolvers<void>();
groupConsumer.on(groupConsumer.events.GROUP_JOIN, () => joined.resolve());
await groupConsumer.connect();
await groupConsumer.subscribe({ topics: [topics[0]], fromBeginning: true });
await groupConsumer.run({
  eachBatchAutoResolve: true,
  eachBatch: async () => arrived.resolve(performance.now()),
});
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
  let fetchOffset = 0n;
  while (!closing) {
    const partition = {
      partition: 0,
      currentLeaderEpoch: leader?.leaderEpoch ?? 0,
      fetchOffset,
      lastFetchedEpoch: -1,
      partitionMaxBytes: 1024 * 1024,
    };
    const { responses } = await rawConsumer.fetch({
      node: leader?.leader ?? 1,
      maxWaitTime: 500,
      topics: [{ topicId: out?.id ?? '', partitions: [partition] }],
    });
    const batch = responses[0]?.partitions[0]?.records?.at(-1);
    if (batch === undefined) continue;
    fetchOffset = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    fetched.resolve(performance.now());
  }
}
const fetching = fetchForEver().catch(() => {});

const producer = kafka.producer({ allowAutoTopicCreation: false });
await producer.connect();
const redis = new Redis(process.env['CURFEW_REDIS_URL'] ?? '');
const value = Buffer.alloc(200, 'x');
const send = (topic: string) => producer.send({ topic, acks: -1, messages: [{ value, partition: 0 }] });

async function floors(): Promise<number> {
  arrived = Promise.withResolvers();
  await send(topics[0]);
  const acknowledged = performance.now();
  const first = Math.max(0, (await arrived.promise) - acknowledged);

  const asked = performance.now();
  await redis.eval('return 1', 0);
  const store = performance.now() - asked;

  fetched = Promise.withResolvers();
  const sent = performance.now();
  await send(topics[1]);
  const second = (await fetched.promise) - sent;
  await sleep(PAUSE_MS);
  return (first + store + second) * 1e6;
}

for (let i = 0; i < WARM_UP; i++) await floors();
const samples: number[] = [];
for (let i = 0; i < ROUNDS; i++) samples.push(await floors());
closing = true;
redis.disconnect();
await Promise.all([groupConsumer.disconnect(), producer.disconnect(), rawConsumer.close(true)]);
await fetching;
await admin.deleteTopics({ topics: [...topics] });
await admin.disconnect();
report(samples);
