import { setTimeout as sleep } from 'node:timers/promises';
import { CurfewError, type Result } from '@curfew/contracts';
import { Consumer, ResponseError } from '@platformatic/kafka';
import { backoffMs } from './backoff.ts';
import { isTrouble, type TopicLeaders } from './kafka-answers.ts';
import { Refusals } from './kafka-refusals.ts';
import { connectionOptions, type KafkaSecurity, onCut } from './kafka-security.ts';
import { describeTopic, type FetchResponse, fetchFeeds, placeFeeds } from './kafka-topic-requests.ts';
import {
  type FeedSink,
  heard,
  loseLeader,
  losePlace,
  newPartitionFeed,
  notCaughtUp,
  type PartitionFeed,
  suspect,
  takeAnswer,
  takeEmptyAnswer,
} from './partition-feed.ts';

export interface TopicReaderOptions<Read> extends KafkaSecurity {
  readonly topic: string;
  /** Reads the key and the value of a record. Never throws. */
  readonly decode: (key: Buffer | null, value: Buffer | null) => Result<Read>;
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Partitions that the topic must have; undefined: as many as it has. */
  readonly partitions: number | undefined;
  readonly windowMs: number;
  readonly now: () => number;
  /**
   * How long records may gather between two fetches, ms. Default 0: each is fetched at once. Where many writers write a
   * little each, fetching is most of the cost.
   */
  readonly gatherMs?: number;
  readonly sink: TopicSink<Read>;
  /** Hears that the brokers turn this client away, and why, once for each reason: it does not mend itself. */
  readonly onRefused?: (error: CurfewError) => void;
}

export interface TopicSink<Read> extends Omit<FeedSink<Read>, 'decode'> {
  /** The topic is there; every record from `horizon` on (ms since the epoch) will be applied. Called once. */
  begin(partitions: number, horizon: number): void;
  /** What `notReady` says may have changed. */
  progress(): void;
}

/** Longest wait for any answer, ms; a connection that takes longer is replaced, as it may be dead without a word. */
const REQUEST_TIMEOUT_MS = 1500;
const CONNECT_TIMEOUT_MS = 1000;
/** How many brokers are asked for the leaders beside the first, which may be dead without a word. */
const OTHER_BROKERS = 3;
const RETRY_DELAY_MS = 20;
const READ_UNCOMMITTED = 0;

/** What a fetch asked for. */
interface Asked {
  readonly topicId: string;
  readonly offsets: ReadonlyMap<number, bigint | undefined>;
}

/**
 * Reads a topic without a group: each process reads all of it, from a while back. One loop per leader node fetches; one watch
 * finds leaders and places, and begins loops. A partition in trouble leaves its loop, so that the others do not wait.
 */
export class KafkaTopicReader<Read> {
  readonly #options: TopicReaderOptions<Read>;
  readonly #topic: string;
  #consumer: Consumer;
  #consumers = 0;
  readonly #stop = new AbortController();
  readonly #loops = new Map<number, Promise<void>>();
  #feeds: PartitionFeed[] = [];
  #topicId: string | undefined;
  /** From when on records are read, ms since the epoch. It is never after what `begin` was told. */
  #since = 0;
  readonly #sink: FeedSink<Read>;
  /** Why the watch does not find the topic, in words. */
  #absence: string | undefined = 'Kafka has not answered yet';
  #failures = 0;
  readonly #refusals: Refusals;
  #wake = Promise.withResolvers<void>();
  #watch: Promise<void> | undefined;

  constructor(options: TopicReaderOptions<Read>) {
    this.#options = options;
    const { topic, decode, sink, now, windowMs } = options;
    this.#topic = topic;
    this.#refusals = new Refusals(topic, options.onRefused);
    this.#sink = {
      decode,
      apply: (...record) => sink.apply(...record),
      undecodable: (...record) => sink.undecodable(...record),
      unreadable: (partition) => sink.unreadable(partition),
      gap: (partition) => {
        sink.gap(partition);
        this.#since = now() - windowMs;
      },
    };
    this.#consumer = this.#newConsumer();
  }

  start(): void {
    this.#watch ??= this.#keepFound();
  }

  /** What keeps what was read from being complete, in words; empty once every partition was read to its end. */
  notReady(): string[] {
    if (this.#feeds.length === 0) return [this.#absence ?? 'catching up'];
    const byReason = Map.groupBy(this.#feeds, notCaughtUp);
    byReason.delete(undefined);
    return [...byReason].map(
      ([reason, feeds]) => `${this.#topic} partition ${feeds.map(({ partition }) => partition).join(', ')}: ${reason}`,
    );
  }

  /** Each time the next broker of the list is the first, as the library asks the first one about itself, and no other. */
  #newConsumer(): Consumer {
    const { brokers, clientId } = this.#options;
    const first = this.#consumers++ % brokers.length;
    const consumer = new Consumer({
      ...connectionOptions(this.#options),
      clientId,
      groupId: clientId, // The library asks for one; no group is joined.
      bootstrapBrokers: [...brokers.slice(first), ...brokers.slice(0, first)],
      retries: 0,
      retryDelay: RETRY_DELAY_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      isolationLevel: READ_UNCOMMITTED,
    });
    onCut(consumer, (error) => this.#refusals.cut(error));
    return consumer;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake.resolve();
    // Closing the connections ends the fetches that are under way, and with them the loops.
    await this.#consumer.close().catch(() => {});
    await this.#watch;
    await Promise.all(this.#loops.values());
  }

  async #keepFound(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers<void>();
      try {
        await this.#find();
        this.#failures = 0;
        this.#absence = undefined;
      } catch (error) {
        this.#failures++;
        this.#absence = this.#refusals.reasonOf(error);
        await this.#askAnother();
      }
      if (signal.aborted) return;
      const lost = this.#lost();
      if (this.#absence !== undefined) for (const feed of lost) feed.trouble = this.#absence;
      this.#options.sink.progress();
      this.#fetchFromLeaders();
      if (this.#failures === 0 && lost.length === 0) await this.#wake.promise;
      await sleep(this.#pauseMs(), undefined, { signal }).catch(() => {});
    }
  }

  /** Nothing is read yet, so that nothing is lost with the connections. */
  async #askAnother(): Promise<void> {
    if (this.#topicId !== undefined || this.#stop.signal.aborted) return;
    await this.#consumer.close().catch(() => {});
    if (!this.#stop.signal.aborted) this.#consumer = this.#newConsumer();
  }

  #lost(): PartitionFeed[] {
    return this.#feeds.filter(({ leader }) => leader === undefined);
  }

  /** A partition that has just lost its leader need not wait as long as one that has been without for a while. */
  #pauseMs(): number {
    const failures = this.#failures || Math.min(...this.#lost().map((feed) => feed.failures));
    return backoffMs(Number.isFinite(failures) ? failures : 1, Math.random());
  }

  /** Finds the leaders, and the places of partitions that have none. */
  async #find(): Promise<void> {
    const { partitions, now, windowMs, sink } = this.#options;
    // At the start the library asks no other broker, however often: `#askAnother` does.
    const topic = await describeTopic(this.#consumer, this.#topic, this.#topicId === undefined ? 0 : OTHER_BROKERS);
    const expected = partitions ?? (this.#feeds.length || topic.leaders.length);
    if (topic.leaders.length !== expected)
      throw new CurfewError('topic_mismatch', `${this.#topic} has ${topic.leaders.length} partitions, not ${expected}`);
    if (this.#topicId === undefined) {
      this.#since = now() - windowMs;
      this.#feeds = topic.leaders.map((_, partition) => newPartitionFeed(partition));
      sink.begin(topic.leaders.length, this.#since);
    } else if (this.#topicId !== topic.id)
      for (const feed of this.#feeds) losePlace(feed, 'the topic was created anew', this.#sink);
    this.#topicId = topic.id;
    await this.#place(topic);
    for (const feed of this.#feeds) {
      const found = topic.leaders[feed.partition];
      if (feed.leader !== undefined || feed.offset === undefined) continue;
      if (found === undefined || found.leader < 0) loseLeader(feed, 'has no leader');
      else {
        feed.leader = found.leader;
        feed.leaderEpoch = found.leaderEpoch;
      }
    }
  }

  /** Finds the places that are missing, from each leader by itself: one that is silent keeps back its own alone. */
  async #place({ leaders }: TopicLeaders): Promise<void> {
    const unplaced = this.#feeds.filter(({ offset }) => offset === undefined);
    const byLeader = Map.groupBy(unplaced, ({ partition }) => leaders[partition]?.leader ?? -1);
    const placing = [...byLeader.values()].map(async (feeds) => {
      await placeFeeds(this.#consumer, this.#topic, { since: this.#since, feeds }).catch((error) => {
        for (const feed of feeds) loseLeader(feed, this.#refusals.reasonOf(error));
      });
    });
    await Promise.all(placing);
  }

  #fetchFromLeaders(): void {
    for (const { leader } of this.#feeds) {
      if (leader === undefined || this.#loops.has(leader)) continue;
      this.#loops.set(leader, this.#fetchFrom(leader));
    }
  }

  async #fetchFrom(node: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const led = this.#feeds.filter(({ leader }) => leader === node);
      const suspected = led.find((feed) => feed.suspect);
      const feeds = suspected ? [suspected] : led;
      if (feeds.length === 0) {
        // In the same turn as the look at the feeds: the watch must not take this loop for one that goes on.
        this.#loops.delete(node);
        return;
      }
      const asked: Asked = {
        topicId: this.#topicId ?? '',
        offsets: new Map(feeds.map((feed) => [feed.partition, feed.offset])),
      };
      const wasReady = this.notReady().length === 0;
      try {
        const response = await fetchFeeds(this.#consumer, node, { topicId: asked.topicId, feeds });
        // Within a fetch session the broker is silent about a partition that has nothing new.
        for (const feed of feeds) if (feed.leader === node) heard(feed);
        if (suspected) suspected.suspect = false;
        this.#take(response, asked);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#fail(
          feeds.filter(({ leader }) => leader === node),
          asked,
          error,
        );
      }
      const isReady = this.notReady().length === 0;
      if (isReady) this.#refusals.allRead();
      if (!wasReady || !isReady) this.#options.sink.progress();
      if (this.#lost().length > 0) this.#wake.resolve();
      const { gatherMs = 0 } = this.#options;
      if (gatherMs > 0) await sleep(gatherMs, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  /** An error of some partitions comes with the others' answers; an error of the fetch session is worth another try. */
  #fail(feeds: readonly PartitionFeed[], asked: Asked, error: unknown): void {
    const response = error instanceof ResponseError ? (error['response'] as FetchResponse) : undefined;
    if (response?.errorCode === 0) {
      this.#take(response, asked);
      return;
    }
    if (!isTrouble(error)) {
      suspect(feeds, this.#sink);
      return;
    }
    const again = response !== undefined && feeds.every(({ failures }) => failures === 0);
    for (const feed of feeds) {
      if (again) feed.failures++;
      else loseLeader(feed, this.#refusals.reasonOf(error));
    }
  }

  #take({ responses }: FetchResponse, { topicId, offsets }: Asked): void {
    if (topicId !== this.#topicId) return; // The topic was created anew while the answer was on its way.
    const answers = responses.flatMap(({ partitions }) => partitions);
    const isEmpty = answers.every(({ records }) => (records?.length ?? 0) === 0);
    for (const answer of answers) {
      const feed = this.#feeds[answer.partitionIndex];
      if (!feed) continue;
      const asked = offsets.get(feed.partition);
      takeAnswer(feed, asked, answer, this.#sink, (code) => this.#refusals.nameOf(code));
      if (isEmpty) takeEmptyAnswer(feed, asked, answer);
    }
  }
}
