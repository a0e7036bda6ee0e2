import { CurfewError, configDifferences, TOPIC_CONFIG, TOPICS } from '@curfew/contracts';
import kafkajs, { type Admin } from 'kafkajs';

/** The topics whose partitions are those of the account-event log; the others need but one. */
const PARTITIONED: readonly string[] = [TOPICS.accountEvents, TOPICS.sessionVersions];

/** Kafka's own default replication factor (KIP-464). */
const BROKER_DEFAULT = -1;

/**
 * Creates the topics that are absent, and verifies those that are there.
 *
 * @returns `topic_mismatch` where the topic of receipts is configured otherwise: sessions end all the same, but what is told
 *   of that may be wrong.
 * @throws CurfewError `topic_mismatch`, naming the topic, what it has and what Curfew needs; what kafkajs throws.
 */
export async function ensureTopics(admin: Admin, partitions: number): Promise<CurfewError | undefined> {
  const present = new Set(await admin.listTopics());
  const absent = Object.values(TOPICS).filter((topic) => !present.has(topic));
  if (absent.length > 0)
    await admin.createTopics({
      waitForLeaders: true,
      topics: absent.map((topic) => ({
        topic,
        numPartitions: PARTITIONED.includes(topic) ? partitions : 1,
        replicationFactor: BROKER_DEFAULT,
        configEntries: Object.entries(TOPIC_CONFIG[topic]).map(([name, value]) => ({ name, value })),
      })),
    });
  await verifyPartitions(admin, partitions);
  return await verifyConfig(admin);
}

async function verifyPartitions(admin: Admin, partitions: number): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [...PARTITIONED] });
  for (const { name, partitions: actual } of topics)
    if (actual.length !== partitions)
      throw new CurfewError(
        'topic_mismatch',
        `${name} has ${actual.length} partitions, CURFEW_PARTITIONS is ${partitions}; the count cannot change later`,
      );
}

async function verifyConfig(admin: Admin): Promise<CurfewError | undefined> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: Object.entries(TOPIC_CONFIG).map(([name, config]) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: Object.keys(config),
    })),
  });
  let ofReceipts: CurfewError | undefined;
  for (const topic of Object.values(TOPICS)) {
    const entries = resources.find(({ resourceName }) => resourceName === topic)?.configEntries ?? [];
    const actual = Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
    for (const { name, found, needed } of configDifferences(topic, actual)) {
      const mismatch = new CurfewError('topic_mismatch', `${topic} has ${name}=${found}, and Curfew needs ${needed}`);
      if (topic !== TOPICS.receipts) throw mismatch;
      ofReceipts = mismatch;
    }
  }
  return ofReceipts;
}
