import { setTimeout as sleep } from 'node:timers/promises';
import { CurfewError, kafkaRefusal, TOPICS } from '@curfew/contracts';
import type { Admin, Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { type AnnouncedVersions, RollbackError, type VersionStore } from '../store/version-store.ts';
import type { LogRecord } from './log-record.ts';
import { LogRestartedError, resumptionOf } from './partition-positions.ts';
import { backoffMs, PartitionWork } from './partition-work.ts';
import type { Pipeline } from './pipeline.ts';

export interface AccountEventsOptions {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly versions: VersionStore;
  readonly pipeline: Pipeline;
  /** Reads what session-versions tells, per partition: for a store that was lost as a whole. */
  readonly readAnnounced: () => Promise<readonly AnnouncedVersions[]>;
  readonly partitions: number;
  /** Hears of what goes wrong, in words; work goes on by itself. */
  readonly warn: (message: string, error?: unknown) => void;
}

/** The partitions of one assignment, each with its work. */
type Works = Map<number, PartitionWork>;

const GROUP = 'curfew-session-service';
/** The least that brokers allow by default: so long the partitions of an instance that was killed stand still. */
const SESSION_TIMEOUT_MS = 6000;
const HEARTBEAT_INTERVAL_MS = 1000;
/** Longest that the broker holds an empty fetch. A record that comes meanwhile is sent at once. */
const MAX_WAIT_MS = 500;
const COMMIT_DELAY_MS = 100;

/** One membership in the group that reads the account-event log: from joining until it crashes or is left. */
export class AccountEvents {
  readonly #options: AccountEventsOptions;
  readonly #consumer: Consumer;
  /** Settles when the partitions of the newest assignment stand where they should be read from. */
  #positioned: Promise<void> = Promise.resolve();
  /** Their work; undefined until then. */
  #works: Works | undefined;
  /** Partitions whose events could not be applied or announced at the last attempt. */
  readonly #waiting = new Set<number>();
  /** Why Kafka or Redis refuses what was tried last, in words. */
  #refusal: string | undefined;
  /** The reading of session-versions that is under way; partitions that are lost together share it. */
  #announced: Promise<readonly AnnouncedVersions[]> | undefined;
  #assigned: readonly number[] = [];
  /** Per partition the newest offset that is announced, but not committed yet. */
  readonly #uncommitted = new Map<number, number>();
  #commitTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: AccountEventsOptions) {
    this.#options = options;
    this.#consumer = options.kafka.consumer({
      groupId: GROUP,
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_INTERVAL_MS,
      maxWaitTimeInMs: MAX_WAIT_MS,
      allowAutoTopicCreation: false,
      // A consumer that crashed is replaced by a new one: kafkajs' own restart can leave it half alive.
      retry: { restartOnFailure: () => Promise.resolve(false) },
    });
  }

  /**
   * Reads until the membership is lost.
   *
   * @param onJoin hears that partitions are assigned.
   * @throws what it was lost to.
   */
  async read(onJoin: () => void): Promise<never> {
    const crashed = new Promise<never>((_, reject) => {
      this.#consumer.on(this.#consumer.events.CRASH, ({ payload }) => reject(payload.error));
    });
    crashed.catch(() => {});
    this.#consumer.on(this.#consumer.events.GROUP_JOIN, ({ payload }) => {
      const assigned = payload.memberAssignment[TOPICS.accountEvents] ?? [];
      const isNewest = () => !this.#closed && this.#positioned === positioned;
      const positioned: Promise<void> = Promise.resolve()
        .then(() => this.#insist(() => this.#position(assigned), isNewest))
        .then((works) => {
          if (!isNewest()) return;
          this.#works = works;
          onJoin();
        });
      this.#works = undefined;
      this.#waiting.clear();
      this.#positioned = positioned;
      this.#assigned = assigned;
    });
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [TOPICS.accountEvents], fromBeginning: true });
    // Whoever closed it meanwhile must not find it a member of the group afterwards.
    if (this.#closed) throw new CurfewError('not_ready', 'closed while it joined');
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.#options.partitions,
      eachBatch: (payload) => this.#take(payload),
    });
    return crashed;
  }

  /** The partitions that are this member's by its newest assignment. */
  get partitions(): readonly number[] {
    return this.#closed ? [] : this.#assigned;
  }

  /** What keeps partitions from going on, in words. */
  notReady(): string[] {
    if (this.#waiting.size === 0) return [];
    const why = this.#refusal === undefined ? '' : `: ${this.#refusal}`;
    return [`events of partition ${[...this.#waiting].join(', ')} are tried again${why}`];
  }

  /** Why Kafka or Redis refuses what was tried last, in words; undefined where neither does. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#commit();
    await this.#consumer.disconnect();
  }

  /** Tries until the positions are found: without an event, nothing else would notice that they are not. */
  async #insist(position: () => Promise<Works>, isNewest: () => boolean): Promise<Works> {
    for (let attempt = 0; isNewest(); attempt++) {
      try {
        const works = await position();
        this.#refusal = undefined;
        return works;
      } catch (error) {
        this.#refusal = refusalIn(error);
        this.#options.warn('the partitions wait: their positions are not known', error);
        await sleep(backoffMs(attempt, Math.random));
      }
    }
    return new Map();
  }

  async #position(assigned: readonly number[]): Promise<Works> {
    const { admin, versions, pipeline, warn } = this.#options;
    const positions = await Promise.all(assigned.map((partition) => versions.position(partition)));
    // The log's end last: the owner before may still commit, and what it commits later would make the log look too short.
    const [group] = await admin.fetchOffsets({ groupId: GROUP, topics: [TOPICS.accountEvents] });
    const ends = await admin.fetchTopicOffsets(TOPICS.accountEvents);
    const offsetOf = (list: readonly { partition: number; offset: string }[] | undefined, partition: number): number =>
      Number(list?.find((one) => one.partition === partition)?.offset ?? -1);

    const places = assigned.map((partition, i) => ({
      partition,
      position: positions[i] ?? -1,
      offsets: { committed: offsetOf(group?.partitions, partition), end: offsetOf(ends, partition) },
    }));
    const lost = places.filter(({ position, offsets }) => position < 0 && offsets.committed > 0);
    const restored = await Promise.all(lost.map(({ partition }) => this.#restore(partition)));
    if (restored.includes(true)) return this.#position(assigned);

    const works = await Promise.all(
      places.map(async ({ partition, position, offsets }): Promise<[number, PartitionWork]> => {
        const { next, applied, logRestarted } = await resumptionOf(partition, position, offsets, versions);
        if (logRestarted)
          warn(
            `partition ${partition} of the log is shorter than what was applied from it: applying it from its start`,
          );
        this.#seek(partition, next);
        return [partition, new PartitionWork({ partition, applied, next, pipeline })];
      }),
    );
    return new Map(works);
  }

  /**
   * Redis knows nothing of a partition that was announced before: its versions come back from what was announced.
   *
   * @returns false where nothing was announced.
   */
  async #restore(partition: number): Promise<boolean> {
    const { versions, readAnnounced, warn } = this.#options;
    warn(`Redis has lost partition ${partition}: restoring its versions from ${TOPICS.sessionVersions}`);
    this.#announced ??= readAnnounced().finally(() => {
      this.#announced = undefined;
    });
    const announced = (await this.#announced)[partition];
    if (announced === undefined || announced.position < 0) return false;
    if (!(await versions.restore(partition, announced)))
      throw new CurfewError('store_unavailable', `partition ${partition} changed while it was restored`);
    return true;
  }

  #seek(partition: number, offset: number): void {
    this.#consumer.seek({ topic: TOPICS.accountEvents, partition, offset: String(offset) });
  }

  async #take({ batch, heartbeat, isRunning, isStale, pause, resolveOffset }: EachBatchPayload): Promise<void> {
    const { partition } = batch;
    const works = this.#works;
    if (works === undefined) {
      this.#positioned.finally(pause());
      return;
    }
    const work = works.get(partition);
    const isOurs = () => isRunning() && !isStale() && this.#works === works;
    if (work === undefined || !isOurs()) return;

    const records = batch.messages.map((message) => recordOf(partition, message));
    const done = (offset: number) => {
      resolveOffset(String(offset));
      this.#commitSoon(partition, offset);
    };
    try {
      await work.take(records, { heartbeat, isOurs, done });
      this.#waiting.delete(partition);
    } catch (error) {
      if (!isOurs()) return;
      // kafkajs waits for all batches of a node before it fetches again: a partition that waits here would stop others.
      this.#waiting.add(partition);
      this.#refusal = refusalIn(error);
      this.#recover(partition, work, works, error).finally(pause());
    }
  }

  /** Waits, or finds the partition's place again: what was not done with is fetched once more afterwards. */
  async #recover(partition: number, work: PartitionWork, works: Works, error: unknown): Promise<void> {
    const { versions, warn } = this.#options;
    const logRestarted = error instanceof LogRestartedError;
    if (!logRestarted && !(error instanceof RollbackError)) {
      warn(`partition ${partition} waits: its events are tried again`, error);
      await sleep(backoffMs(work.failures, Math.random));
      return;
    }
    warn(`partition ${partition} is positioned again`, error);
    const find = async () => {
      if (logRestarted) await this.#beginAnew(partition, versions);
      return this.#position([partition]);
    };
    const isNewest = () => !this.#closed && this.#works === works;
    for (const [of, found] of await this.#insist(find, isNewest)) works.set(of, found);
  }

  /** Forgets where the old log was read to, in Redis and in the group: nothing may be skipped in the new one. */
  async #beginAnew(partition: number, versions: VersionStore): Promise<void> {
    this.#uncommitted.delete(partition);
    await this.#consumer.commitOffsets([{ topic: TOPICS.accountEvents, partition, offset: '0' }]);
    await versions.forgetPosition(partition);
  }

  /** Soon, and for all partitions at once: a commit that is late or lost only has events announced again. */
  #commitSoon(partition: number, offset: number): void {
    this.#uncommitted.set(partition, offset);
    this.#commitTimer ??= setTimeout(() => this.#commit(), COMMIT_DELAY_MS).unref();
  }

  async #commit(): Promise<void> {
    clearTimeout(this.#commitTimer);
    this.#commitTimer = undefined;
    const offsets = Array.from(this.#uncommitted, ([partition, offset]) => ({
      topic: TOPICS.accountEvents,
      partition,
      offset: String(offset + 1),
    }));
    this.#uncommitted.clear();
    if (offsets.length > 0) await this.#consumer.commitOffsets(offsets).catch(() => {});
  }
}

const refusalIn = (error: unknown): string | undefined =>
  (error instanceof CurfewError && error.reason !== undefined ? error : kafkaRefusal(error))?.detail;

function recordOf(partition: number, message: KafkaMessage): LogRecord {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => {
    const last = Array.isArray(value) ? value.at(-1) : value;
    // A header may lack a value: kafkajs gives null then, whatever its types say.
    return [name, last == null ? undefined : Buffer.from(last)];
  });
  return {
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: Object.fromEntries(headers),
  };
}
