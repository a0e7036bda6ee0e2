import { CurfewError } from '@curfew/contracts';
import { type Consumer, MultipleErrors, ResponseError } from '@platformatic/kafka';
import { type TopicLeaders, topicIn } from './kafka-answers.ts';
import type { PartitionFeed } from './partition-feed.ts';

/** How long a broker holds a fetch that has nothing to tell, ms. */
const MAX_WAIT_MS = 500;
const PARTITION_MAX_BYTES = 1024 * 1024;
const LATEST = -1n;

export type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

/** Asks who leads the partitions. @throws CurfewError `bus_unavailable` where there is no such topic; the library's own. */
export async function describeTopic(consumer: Consumer, name: string, retries: number): Promise<TopicLeaders> {
  try {
    const metadata = await consumer.metadata({ topics: [name], forceUpdate: true, retries });
    const topic = metadata.topics.get(name);
    if (topic) return { id: topic.id, leaders: topic.partitions };
  } catch (error) {
    // One partition without a leader makes the library reject an answer that names all the other leaders.
    const last = error instanceof MultipleErrors && !(error instanceof ResponseError) ? error.errors.at(-1) : error;
    const topic = last instanceof ResponseError ? topicIn(last['response']) : undefined;
    if (topic === undefined) throw error;
    return topic;
  }
  throw new CurfewError('bus_unavailable', `the topic ${name} is absent; the session service creates it`);
}

/**
 * Finds by time, ms since the epoch, where feeds of one leader begin. The log's end comes first: what is appended in between
 * is read, not skipped.
 */
export async function placeFeeds(
  consumer: Consumer,
  topic: string,
  { since, feeds }: { readonly since: number; readonly feeds: readonly PartitionFeed[] },
): Promise<void> {
  const list = { topics: [topic], partitions: { [topic]: feeds.map(({ partition }) => partition) } };
  const ends = await consumer.listOffsets({ ...list, timestamp: LATEST });
  const begins = await consumer.listOffsets({ ...list, timestamp: BigInt(Math.floor(since)) });
  for (const feed of feeds) {
    const end = ends.get(topic)?.[feed.partition];
    const begin = begins.get(topic)?.[feed.partition];
    if (end === undefined || begin === undefined) continue;
    feed.target = end;
    feed.offset = begin < 0n ? end : begin;
  }
}

/** Fetches what comes next of feeds that a node leads; of a suspect, which is alone, at once. */
export function fetchFeeds(
  consumer: Consumer,
  node: number,
  { topicId, feeds }: { readonly topicId: string; readonly feeds: readonly PartitionFeed[] },
): Promise<FetchResponse> {
  return consumer.fetch({
    node,
    // Nobody else waits while a suspect has nothing new.
    maxWaitTime: feeds[0]?.suspect ? 0 : MAX_WAIT_MS,
    topics: [
      {
        topicId,
        partitions: feeds.map(({ partition, leaderEpoch, offset, readEpoch }) => ({
          partition,
          currentLeaderEpoch: leaderEpoch,
          fetchOffset: offset ?? 0n,
          lastFetchedEpoch: readEpoch,
          partitionMaxBytes: PARTITION_MAX_BYTES,
        })),
      },
    ],
  });
}
