import { type CurfewError, decodeReceipt, type KafkaConnection, type Receipt, TOPICS } from '@curfew/contracts';
import { KafkaTopicReader } from '@curfew/sidecar/topic-reader';

export interface ReceiptsOptions extends KafkaConnection {
  readonly now: () => number;
  readonly onReceipt: (receipt: Receipt) => void;
  /** Hears of each record that is no receipt. */
  readonly onRejected: () => void;
  /** Hears that the brokers turn this client away, and why. */
  readonly onRefused: (error: CurfewError) => void;
}

/** From how long ago on receipts are read at the start, ms: what was said before a restart. */
const WINDOW_MS = 5 * 60_000;
/** So much later a revocation may be known to be effective, ms. */
const GATHER_MS = 20;

/** Reads what sidecars say of themselves. Every instance of the session service reads all of it. */
export function readReceipts({ onReceipt, onRejected, ...options }: ReceiptsOptions): KafkaTopicReader<Receipt> {
  return new KafkaTopicReader<Receipt>({
    ...options,
    clientId: 'session-service-receipts',
    topic: TOPICS.receipts,
    decode: (_key, value) => decodeReceipt(value),
    partitions: undefined,
    windowMs: WINDOW_MS,
    gatherMs: GATHER_MS,
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
