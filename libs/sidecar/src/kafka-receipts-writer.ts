import { encodeReceipt, kafkaRefusal, type Receipt, TOPICS } from '@curfew/contracts';
import { compatibilityPartitioner, ProduceAcks, Producer } from '@platformatic/kafka';
import { connectionOptions, type KafkaSecurity, onCut } from './kafka-security.ts';

export interface ReceiptsWriterOptions extends KafkaSecurity {
  readonly brokers: readonly string[];
  readonly clientId: string;
}

/** Longest wait for any answer, ms: a receipt is old after a second. */
const REQUEST_TIMEOUT_MS = 1000;
/** How many more brokers are asked where one does not answer. */
const OTHER_BROKERS = 2;
const RETRY_DELAY_MS = 20;
/** Kafka's own default (`metadata.max.age.ms`). A failure has it read anew. */
const METADATA_MAX_AGE_MS = 300_000;

/** Writes receipts over connections of its own, as the reader's stand still while a broker holds a fetch. */
export class KafkaReceiptsWriter {
  readonly #producer: Producer<Buffer, Buffer, Buffer, Buffer>;
  /** Why the last connection ended. */
  #cut: Error | undefined;

  constructor(options: ReceiptsWriterOptions) {
    const { brokers, clientId } = options;
    this.#producer = new Producer({
      ...connectionOptions(options),
      clientId,
      bootstrapBrokers: [...brokers],
      partitioner: compatibilityPartitioner,
      retries: OTHER_BROKERS,
      retryDelay: RETRY_DELAY_MS,
      connectTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      metadataMaxAge: METADATA_MAX_AGE_MS,
    });
    onCut(this.#producer, (error) => {
      this.#cut = error;
    });
  }

  /**
   * Rejects where the broker does not acknowledge; another try may find it elsewhere.
   *
   * @throws CurfewError `bus_unavailable`, with the reason, where it turns this sidecar away; what the library throws.
   */
  async write(receipt: Receipt): Promise<void> {
    const { key, value } = encodeReceipt(receipt);
    this.#cut = undefined;
    const message = { topic: TOPICS.receipts, key: Buffer.from(key), value };
    try {
      await this.#producer.send({ messages: [message], acks: ProduceAcks.LEADER });
    } catch (error) {
      this.#producer.clearMetadata();
      throw kafkaRefusal(error) ?? kafkaRefusal(this.#cut) ?? error;
    }
  }

  async close(): Promise<void> {
    await this.#producer.close().catch(() => {});
  }
}
