import { decodeReceipt, type Receipt, TOPICS } from '@curfew/contracts';
import { KafkaTopicReader } from '@curfew/sidecar/topic-reader';

export interface ReceiptsOptions {
  readonly brokers: readonly string[];
  readonly now: () => number;
  readonly onReceipt: (receipt: Receipt) => void;
  /** Hears of each record that is no receipt. */
  readonly onRejected: () => void;
}

/** From how long ago on receipts are read at the start, ms: what was said before a restart. */
const WINDOW_MS = 5 * 60_000;
/** So much later a revocation may be known to be effective, ms. */
const GATHER_MS = 20;

/** Reads what sidecars say of themselves. Every instance of the session service reads all of it. */
export function readReceipts({ brokers, now, onReceipt, onRejected }: ReceiptsOptions): KafkaTopicReader<Receipt> {
  return new KafkaTopicReader<Receipt>({
    brokers,
    clientId: 'session-service-receipts',
    topic: TOPICS.receipts,
    decode: (_key, value) => decodeReceipt(value),
    partitions: undefined,
    windowMs: WINDOW_MS,
    gatherMs: GATHER_MS,
    now,
    sink: {
      begin: () => {},
      apply: (_partition, receipt) => onReceipt(receipt),
      undecodable: onRejected,
      unreadable: () => {},
      gap: () => {},
      progress: () => {},
    },
  });
}
