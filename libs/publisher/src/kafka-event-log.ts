import { setTimeout as sleep } from 'node:timers/promises';
import { CurfewError, kafkaRefusal, partitionOf, TOPICS } from '@curfew/contracts';
import kafkajs, { type Admin, type Kafka, type Message, type PartitionerArgs, type Producer } from 'kafkajs';
import type { EventLog, EventRecord, LogPlace } from './event-log.ts';

export interface KafkaEventLogOptions {
  readonly kafka: Kafka;
  /** Partitions that the topic must have; undefined: as many as it has. */
  readonly partitions: number | undefined;
  /** Hears what `notReady` says, whenever that changes. */
  readonly onReadiness: ((notReady: readonly string[]) => void) | undefined;
  /** Longest wait for the first attempt to connect, for the brokers' acknowledgement, and for the end of a close, ms. */
  readonly limitMs: number;
  /** How often Kafka is asked whether it still answers, so that readiness tells the truth without traffic too, ms. */
  readonly probeIntervalMs: number;
}

/** From `new`, `start` leads to `away`; `away` and `ready` follow what Kafka shows; `closed` is the end. */
type State =
  | { readonly name: 'new' | 'away'; readonly error: CurfewError }
  | { readonly name: 'ready'; readonly partitions: number }
  | { readonly name: 'closed'; readonly error: CurfewError };

/** A record for kafkajs, and when its caller is told that it failed (monotonic clock, ms). */
interface ExpiringMessage extends Message {
  readonly partition: number;
  readonly expiresAt: number;
}

interface Append {
  readonly message: ExpiringMessage;
  readonly resolve: (place: LogPlace) => void;
  readonly reject: (error: CurfewError) => void;
}

const ALL_IN_SYNC = -1;

/** As many of the largest events as one request of Kafka's default `message.max.bytes` (1 MiB) holds. */
const MAX_RECORDS_PER_REQUEST = 15;

const MAX_RETRY_DELAY_MS = 1000;

/** The account-event log on Kafka. */
export class KafkaEventLog implements EventLog {
  readonly #options: KafkaEventLogOptions;
  readonly #producer: Producer;
  readonly #stop = new AbortController();
  readonly #tried = Promise.withResolvers<void>();
  readonly #sends = new Set<Promise<void>>();
  #state: State = { name: 'new', error: new CurfewError('bus_unavailable', 'start() was not called') };
  #gathered: Append[] = [];
  #watch: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: KafkaEventLogOptions) {
    this.#options = options;
    // kafkajs' idempotent producer counts its sequence back after a failure, and can then lose a record that it reports
    // as acknowledged. A duplicate does no harm here.
    this.#producer = options.kafka.producer({
      idempotent: false,
      allowAutoTopicCreation: false,
      createPartitioner: () => partitionUntilExpiry,
    });
  }

  start(): Promise<void> {
    if (this.#state.name === 'new')
      this.#state = { name: 'away', error: new CurfewError('bus_unavailable', 'Kafka has not answered yet') };
    if (this.#state.name !== 'closed') this.#watch ??= this.#keepConnected();
    return Promise.race([this.#tried.promise, this.#limit()]);
  }

  notReady(): readonly string[] {
    return this.#state.name === 'ready' ? [] : [this.#state.error.detail ?? this.#state.error.message];
  }

  async append(record: EventRecord): Promise<LogPlace> {
    if (this.#state.name !== 'ready') throw this.#state.error;
    const partition = partitionOf(record.key, this.#state.partitions);
    const { promise, resolve, reject } = Promise.withResolvers<LogPlace>();
    const expiresAt = performance.now() + this.#options.limitMs;
    const count = this.#gathered.push({ message: { ...record, partition, expiresAt }, resolve, reject });
    // What comes in one turn of the event loop shares a request; one record alone waits for nothing else.
    if (count === 1) setImmediate(() => this.#flush());
    if (count === MAX_RECORDS_PER_REQUEST) this.#flush();
    return promise;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#state = { name: 'closed', error: new CurfewError('bus_unavailable', 'the publisher is closed') };
    this.#flush();
    this.#tried.resolve();
    this.#stop.abort();
    await Promise.race([this.#watch, this.#limit()]);
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#stop;
    let admin: Admin | undefined;
    let failures = 0;
    while (!signal.aborted) {
      try {
        admin ??= this.#options.kafka.admin();
        const partitions = await this.#countPartitions(admin);
        await this.#producer.connect();
        this.#turn({ name: 'ready', partitions });
        failures = 0;
      } catch (error) {
        this.#turn({ name: 'away', error: absenceOf(error) });
        failures += 1;
        await admin?.disconnect().catch(() => {});
        admin = undefined;
      }
      this.#tried.resolve();
      const pauseMs = failures === 0 ? this.#options.probeIntervalMs : retryDelayMs(failures);
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    }
    // kafkajs connects anew for a send that it tries again, so the sends end first.
    await Promise.allSettled(this.#sends);
    await Promise.allSettled([admin?.disconnect(), this.#producer.disconnect()]);
  }

  #turn(state: State): void {
    if (this.#state.name === 'closed') return;
    const before = this.notReady()[0];
    this.#state = state;
    if (this.notReady()[0] !== before) this.#options.onReadiness?.(this.notReady());
  }

  async #countPartitions(admin: Admin): Promise<number> {
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [TOPICS.accountEvents] });
    const found = topics[0]?.partitions.length ?? 0;
    const expected = this.#options.partitions ?? found;
    if (found !== expected)
      throw new CurfewError('topic_mismatch', `${TOPICS.accountEvents} has ${found} partitions, not ${expected}`);
    return found;
  }

  #flush(): void {
    if (this.#gathered.length === 0) return;
    const send = this.#send(this.#gathered).finally(() => this.#sends.delete(send));
    this.#gathered = [];
    this.#sends.add(send);
  }

  async #send(appends: readonly Append[]): Promise<void> {
    try {
      const answers = await this.#producer.send({
        topic: TOPICS.accountEvents,
        acks: ALL_IN_SYNC,
        timeout: this.#options.limitMs,
        messages: appends.map(({ message }) => message),
      });
      const offsets = new Map(answers.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]));
      for (const { message, resolve, reject } of appends) {
        const { partition } = message;
        const offset = offsets.get(partition);
        // kafkajs leaves records out, silently, whose partition its metadata does not know.
        if (offset === undefined) reject(new CurfewError('bus_unavailable', `partition ${partition} is unknown`));
        else resolve({ partition, offset });
        offsets.set(partition, (offset ?? 0) + 1);
      }
    } catch (cause) {
      const detail = 'the brokers did not acknowledge; the event may still arrive';
      const error = kafkaRefusal(cause) ?? new CurfewError('bus_unavailable', detail, { cause });
      for (const { reject } of appends) reject(error);
    }
  }

  #limit(): Promise<void> {
    return sleep(this.#options.limitMs, undefined, { ref: false });
  }
}

/**
 * kafkajs asks for the partition anew each time that it tries again. Its retries outlast the caller's patience, and an
 * event that arrives long after its caller gave up ends the sessions that were opened meanwhile.
 */
function partitionUntilExpiry({ message }: PartitionerArgs): number {
  const { partition, expiresAt } = message as ExpiringMessage;
  if (performance.now() > expiresAt) throw new kafkajs.KafkaJSNonRetriableError('too late to send again');
  return partition;
}

function absenceOf(cause: unknown): CurfewError {
  if (cause instanceof CurfewError) return cause;
  const type = cause instanceof Error && 'type' in cause ? cause.type : undefined;
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    const detail = `the topic ${TOPICS.accountEvents} is absent; the session service creates it`;
    return new CurfewError('bus_unavailable', detail, { cause });
  }
  return kafkaRefusal(cause) ?? new CurfewError('bus_unavailable', 'Kafka does not answer', { cause });
}

const retryDelayMs = (failures: number): number =>
  Math.min(MAX_RETRY_DELAY_MS, 50 * 2 ** failures) * (0.5 + Math.random());
