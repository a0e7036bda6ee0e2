import { setTimeout as sleep } from 'node:timers/promises';
import { TOPIC_CONFIG, TOPICS } from '@curfew/contracts';
import type { Kafka } from 'kafkajs';
import { expect, test } from 'vitest';
import { KafkaBus } from '../../../services/session-service/src/events/kafka-bus.ts';
import { Feed } from '../../../services/session-service/src/events/kafka-feed.ts';
import type { Pipeline } from '../../../services/session-service/src/events/pipeline.ts';
import { MemoryVersions } from '../../support/memory-stores.ts';

/** A Kafka that takes its time, and tells what was asked of its consumer. */
function slowKafka(delayMs: number) {
  const asked: string[] = [];
  const slowly =
    <T>(name: string, answer: T) =>
    async () => {
      asked.push(name);
      await sleep(delayMs);
      return answer;
    };
  const resources = Object.entries(TOPIC_CONFIG).map(([resourceName, config]) => ({
    resourceName,
    configEntries: Object.entries(config).map(([configName, configValue]) => ({ configName, configValue })),
  }));
  const admin = {
    connect: slowly('admin connect', undefined),
    disconnect: slowly('admin disconnect', undefined),
    listTopics: slowly('topics', Object.values(TOPICS)),
    fetchTopicMetadata: slowly('metadata', { topics: [] }),
    describeConfigs: slowly('configs', { resources }),
  };
  const producer = { connect: slowly('producer', undefined), disconnect: slowly('end', undefined) };
  const consumer = {
    events: { CRASH: 'crash', GROUP_JOIN: 'join' },
    on: () => {},
    connect: slowly('consumer connect', undefined),
    subscribe: slowly('subscribe', undefined),
    run: slowly('run', undefined),
    disconnect: slowly('consumer disconnect', undefined),
  };
  return {
    asked,
    kafka: { admin: () => admin, producer: () => producer, consumer: () => consumer } as unknown as Kafka,
  };
}

test.each([5, 30, 50, 70, 90, 110])(
  'a feed that is closed %i ms after its start joins no group, and is closed soon',
  async (afterMs) => {
    const { asked, kafka } = slowKafka(20);
    const feed = new Feed({
      kafka,
      bus: new KafkaBus(kafka),
      versions: new MemoryVersions(),
      pipeline: {} as Pipeline,
      readAnnounced: async () => [],
      partitions: 12,
      tickIntervalMs: 500,
      maxViewAgeMs: 2000,
      now: Date.now,
      warn: () => {},
    });
    feed.start();
    await sleep(afterMs);
    const from = performance.now();
    await feed.close();
    expect(performance.now() - from).toBeLessThan(1000);
    await sleep(100);
    expect(asked).not.toContain('run');
  },
);
