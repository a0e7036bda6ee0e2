import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOf, TOPICS } from '@curfew/contracts';
import type { EventRecord } from '@curfew/publisher';
import type { ICustomPartitioner, Kafka, ProducerRecord } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KafkaEventLog } from '../../../libs/publisher/src/kafka-event-log.ts';

const PARTITIONS = 3;
const LIMIT_MS = 200;

/** A Kafka whose topic can come and go, and which appends to whatever partitions it has. */
class FakeKafka {
  fault: Error | undefined;
  partitions = PARTITIONS;
  answersAfter: Promise<void> = Promise.resolve();
  readonly order: string[] = [];
  readonly requests: ProducerRecord[] = [];
  readonly ends = Array.from({ length: PARTITIONS }, () => 0);

  partitioner: ReturnType<ICustomPartitioner> = () => 0;

  producer({ createPartitioner }: { createPartitioner: ICustomPartitioner }) {
    this.partitioner = createPartitioner();
    return {
      connect: async () => {},
      disconnect: async () => {
        this.order.push('disconnected');
      },
      send: (request: ProducerRecord) => this.send(request),
    };
  }

  admin() {
    return {
      connect: async () => {},
      disconnect: async () => {},
      fetchTopicMetadata: async () => {
        if (this.fault) throw this.fault;
        return { topics: [{ name: TOPICS.accountEvents, partitions: Array.from({ length: this.partitions }) }] };
      },
    };
  }

  async send(request: ProducerRecord) {
    if (this.fault) throw this.fault;
    await this.answersAfter;
    this.order.push('acknowledged');
    this.requests.push(request);
    const bases = new Map<number, number>();
    for (const { partition = 0 } of request.messages) {
      if (partition >= this.partitions) continue;
      const end = this.ends[partition] ?? 0;
      if (!bases.has(partition)) bases.set(partition, end);
      this.ends[partition] = end + 1;
    }
    return [...bases].map(([partition, base]) => ({ topicName: request.topic, partition, baseOffset: String(base) }));
  }
}

const absentTopic = Object.assign(new Error('unknown'), { type: 'UNKNOWN_TOPIC_OR_PARTITION' });
const recordOf = (key: string): EventRecord => ({ key, value: Buffer.from('{}'), headers: {} });

let kafka: FakeKafka;
let log: KafkaEventLog;
let heard: string[][];

beforeEach(() => {
  kafka = new FakeKafka();
  heard = [];
  log = new KafkaEventLog({
    kafka: kafka as unknown as Kafka,
    partitions: undefined,
    onReadiness: (notReady) => heard.push([...notReady]),
    limitMs: LIMIT_MS,
    probeIntervalMs: 10,
  });
});
afterEach(() => log.close());

describe('the account-event log', () => {
  test('gives every record of a shared request its own offset', async () => {
    await log.start();
    const keys = Array.from({ length: 12 }, (_, i) => `subject-${i}`);
    const places = await Promise.all(keys.map((key) => log.append(recordOf(key))));
    expect(kafka.requests).toHaveLength(1);

    const ends = Array.from({ length: PARTITIONS }, () => 0);
    const expected = keys.map((key) => {
      const partition = partitionOf(key, PARTITIONS);
      const offset = ends[partition] ?? 0;
      ends[partition] = offset + 1;
      return { partition, offset };
    });
    expect(places).toEqual(expected);
  });

  test('asks for the acknowledgement of every replica', async () => {
    await log.start();
    await log.append(recordOf('alice'));
    expect(kafka.requests).toMatchObject([{ topic: TOPICS.accountEvents, acks: -1, timeout: LIMIT_MS }]);
  });

  test('puts no more into a request than a broker takes', async () => {
    await log.start();
    await Promise.all(Array.from({ length: 40 }, (_, i) => log.append(recordOf(`subject-${i}`))));
    expect(kafka.requests.map(({ messages }) => messages.length)).toEqual([15, 15, 10]);
  });

  test('fails a record whose partition has gone, which kafkajs would pass over in silence', async () => {
    await log.start();
    kafka.partitions = 0;
    await expect(log.append(recordOf('alice'))).rejects.toMatchObject({ code: 'bus_unavailable' });
  });

  test('sends no record again after its caller was told that it failed', async () => {
    await log.start();
    const { partition } = await log.append(recordOf('alice'));
    const [message] = kafka.requests[0]?.messages ?? [];
    if (!message) throw new Error('nothing was sent');
    const choose = () => kafka.partitioner({ topic: TOPICS.accountEvents, partitionMetadata: [], message });
    expect(choose()).toBe(partition);
    await sleep(LIMIT_MS + 10);
    expect(choose).toThrow(expect.objectContaining({ retriable: false }));
  });

  test('fails every record of a request that fails, with its cause', async () => {
    await log.start();
    kafka.fault = new Error('connection lost');
    const failed = { code: 'bus_unavailable', cause: kafka.fault };
    const appends = ['alice', 'bob'].map((key) => expect(log.append(recordOf(key))).rejects.toMatchObject(failed));
    await Promise.all(appends);
  });
});

describe('the readiness of the log', () => {
  const ready = () => expect.poll(() => log.notReady()).toEqual([]);
  const notReady = (words: RegExp) => expect.poll(() => log.notReady()).toEqual([expect.stringMatching(words)]);

  test('says that the topic is absent, until somebody creates it', async () => {
    kafka.fault = absentTopic;
    await log.start();
    await notReady(/topic curfew.account-events is absent/);
    await expect(log.append(recordOf('alice'))).rejects.toMatchObject({ code: 'bus_unavailable' });

    kafka.fault = undefined;
    await ready();
    await expect(log.append(recordOf('alice'))).resolves.toMatchObject({ offset: 0 });
  });

  test('follows a Kafka that goes and comes back, without any traffic', async () => {
    await log.start();
    await ready();
    kafka.fault = new Error('connection lost');
    await notReady(/does not answer/);
    kafka.fault = undefined;
    await ready();
    expect(heard).toEqual([[], ['Kafka does not answer'], []]);
  });

  test('ends with the log', async () => {
    await log.start();
    await log.close();
    kafka.fault = new Error('connection lost');
    expect(log.notReady()).toEqual(['the publisher is closed']);
    await expect(log.append(recordOf('alice'))).rejects.toMatchObject({ code: 'bus_unavailable' });
  });

  test('lets go of Kafka only after the records on their way, because a retry would connect again', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    kafka.answersAfter = promise;
    await log.start();
    const last = log.append(recordOf('alice'));
    const closing = log.close();
    setTimeout(resolve, 20);
    await Promise.all([last, closing]);
    expect(kafka.order).toEqual(['acknowledged', 'disconnected']);
  });
});
