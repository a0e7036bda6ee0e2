import { randomUUID } from 'node:crypto';
import { decodeSet, partitionOf, TOPICS } from '@curfew/contracts';
import { createKafka, createPublisher, type Published, type Publisher } from '@curfew/publisher';
import type { Consumer, KafkaMessage } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { ensureTopics } from '../../services/session-service/src/events/kafka-topics.ts';
import { PARTITIONS } from '../support/account-event-records.ts';
import { recordSpans } from '../support/recorded-spans.ts';

const { brokers } = inject('stack');
const kafka = createKafka({ brokers, clientId: 'publisher-test' });
const ended = recordSpans();

let publisher: Publisher;
let reader: Consumer;
const log = new Map<string, KafkaMessage>();
const placeOf = ({ partition, offset }: { partition: number; offset: number | string }) => `${partition}:${offset}`;

beforeAll(async () => {
  const admin = kafka.admin();
  await admin.connect();
  await ensureTopics(admin, PARTITIONS);
  await admin.disconnect();

  reader = kafka.consumer({ groupId: `publisher-test-${randomUUID()}`, maxWaitTimeInMs: 100 });
  await reader.connect();
  await reader.subscribe({ topics: [TOPICS.accountEvents], fromBeginning: true });
  await reader.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      log.set(placeOf({ partition, offset: message.offset }), message);
    },
  });
  publisher = createPublisher({ brokers, issuer: 'https://id.example.com' });
  await publisher.start();
});

afterAll(async () => {
  await publisher.close();
  await reader.disconnect();
});

/** The record that stands in the log where the publisher says that its event stands. */
async function recordOf(published: Published) {
  const message = await vi.waitFor(
    () => log.get(placeOf(published)) ?? Promise.reject(new Error('the record is not in the log yet')),
    { timeout: 10_000 },
  );
  const decoded = decodeSet(message.value);
  return {
    key: message.key?.toString(),
    headers: Object.fromEntries(Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)])),
    set: decoded.ok ? decoded.value : undefined,
  };
}

describe('an event that Kafka acknowledged', () => {
  test('stands where the publisher says, under its subject, in the partition that every client chooses', async () => {
    const published = await publisher.passwordChanged({ subject: 'alice' });
    expect(published.partition).toBe(partitionOf('alice', PARTITIONS));
    const { key, headers, set } = await recordOf(published);
    expect(key).toBe('alice');
    expect(headers['content-type']).toBe('application/json');
    expect(set).toMatchObject({ jti: published.id, sub_id: { format: 'opaque', id: 'alice' } });
  });

  test('carries the context of the trace that it was sent in', async () => {
    const { headers } = await recordOf(await publisher.accountEnabled({ subject: 'bob' }));
    const send = ended.find(({ name }) => name === `send ${TOPICS.accountEvents}`)?.spanContext();
    expect(headers['traceparent']).toBe(`00-${send?.traceId}-${send?.spanId}-01`);
  });

  test('stands behind those of its subject that were acknowledged before it', async () => {
    const first = await publisher.passwordChanged({ subject: 'carol' });
    const second = await publisher.passwordChanged({ subject: 'carol' });
    expect(second.partition).toBe(first.partition);
    expect(second.offset).toBeGreaterThan(first.offset);
  });

  test('is found at its own place, when many are published at once', async () => {
    const subjects = Array.from({ length: 100 }, (_, i) => `crowd-${i}`);
    const published = await Promise.all(subjects.map((subject) => publisher.passwordChanged({ subject })));
    const records = await Promise.all(published.map(recordOf));
    expect(records.map(({ key }) => key)).toEqual(subjects);
    expect(records.map(({ set }) => set?.jti)).toEqual(published.map(({ id }) => id));
  });
});

describe('a publisher', () => {
  test('is ready where Kafka answers', () => {
    expect(publisher.notReady()).toEqual([]);
  });

  test('publishes nothing to a log of another number of partitions than it expects', async () => {
    const mistaken = createPublisher({ brokers, issuer: 'i', partitions: PARTITIONS + 1 });
    await mistaken.start();
    expect(mistaken.notReady()).toEqual([expect.stringContaining(`has ${PARTITIONS} partitions`)]);
    await expect(mistaken.accountEnabled({ subject: 'bob' })).rejects.toMatchObject({ code: 'topic_mismatch' });
    await mistaken.close();
  });

  test('sends what is on its way before it closes', async () => {
    const closing = createPublisher({ brokers, issuer: 'i' });
    await closing.start();
    const last = closing.accountEnabled({ subject: 'bob' });
    await closing.close();
    expect((await recordOf(await last)).key).toBe('bob');
  });
});
