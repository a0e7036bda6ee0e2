import { setTimeout as sleep } from 'node:timers/promises';
import { CurfewError, type KafkaConnection, kafkaRefusal, TOPIC_CONFIG, TOPICS } from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import kafkajs from 'kafkajs';
import { readVersions } from '../kafka-log.ts';
import type { ClockFacts } from './judge-clocks.ts';
import type { TickFacts, TopicFacts } from './judge-kafka.ts';

const DURABILITY = ['min.insync.replicas', 'unclean.leader.election.enable'];
/** How long ticks are listened to, ms: several intervals. */
const LISTEN_MS = 3000;

/** @throws CurfewError `bus_unavailable` */
export async function topicFacts(kafka: KafkaConnection): Promise<TopicFacts[]> {
  const admin = createKafka({ ...kafka, clientId: 'curfew-cli' }).admin();
  try {
    await admin.connect();
    const present = new Set(await admin.listTopics());
    const names = Object.values(TOPICS).filter((name) => present.has(name));
    if (names.length === 0) return [];
    const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: [...Object.keys(TOPIC_CONFIG[name]), ...DURABILITY],
      })),
    });
    return names.map((name) => ({
      name,
      partitions: (topics.find((topic) => topic.name === name)?.partitions ?? []).map(({ replicas, isr, leader }) => ({
        replicas: replicas.length,
        inSync: isr.length,
        hasLeader: leader >= 0,
      })),
      config: Object.fromEntries(
        (resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? []).map(
          ({ configName, configValue }) => [configName, configValue],
        ),
      ),
    }));
  } catch (error) {
    throw (
      kafkaRefusal(error) ??
      new CurfewError(
        'bus_unavailable',
        `Kafka at ${kafka.brokers.join(', ')} does not answer: ${(error as Error).name}. Is CURFEW_KAFKA_BROKERS right?`,
      )
    );
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

/**
 * Listens to session-versions: which ticks come, and how the clocks of broker and session service are against this one.
 * What came over the quickest way shows a clock best: the rest of its lag is the way.
 *
 * @throws CurfewError `bus_unavailable`
 */
export async function listenToTicks(kafka: KafkaConnection): Promise<{ ticks: TickFacts; clocks: ClockFacts[] }> {
  const heard = new Set<number>();
  const leads = { Kafka: Number.NEGATIVE_INFINITY, 'the session service': Number.NEGATIVE_INFINITY };
  const all = Promise.withResolvers<void>();
  let partitions = Number.POSITIVE_INFINITY;
  const log = await readVersions({
    ...kafka,
    windowMs: 0,
    take: ({ partition, record, appendedAt }) => {
      if (record.kind !== 'tick') return;
      const now = Date.now();
      leads.Kafka = Math.max(leads.Kafka, appendedAt - now);
      leads['the session service'] = Math.max(leads['the session service'], record.tick - now);
      heard.add(partition);
      if (heard.size >= partitions) all.resolve();
    },
  });
  partitions = log.partitions;
  await Promise.race([all.promise, sleep(LISTEN_MS, undefined, { ref: false })]);
  await log.close();
  const clocks = Object.entries(leads).map(([of, leadMs]) => ({ of, leadMs }));
  return {
    ticks: { partitions, heard, listenedMs: LISTEN_MS },
    clocks: clocks.filter(({ leadMs }) => Number.isFinite(leadMs)),
  };
}
