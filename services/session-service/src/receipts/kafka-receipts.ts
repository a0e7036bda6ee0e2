import { type CurfewError, decodeReceipt, type KafkaConnection, type Receipt, TOPICS } from '@curfew/contracts';
import { KafkaTopicReader } from '@curfew/sidecar/topic-reader';
import { type HeardReceipt, REMEMBER_MS } from './fleet.ts';

export interface ReceiptsOptions extends KafkaConnection {
  readonly now: () => number;
  readonly onReceipt: (receipt: HeardReceipt) => void;
  /** Hears of each record that is no receipt. */
  readonly onRejected: () => void;
  /** Hears that the brokers turn this client away, and why. */
  readonly onRefused: (error: CurfewError) => void;
}

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
    // What was said before a restart.
    windowMs: REMEMBER_MS,
    gatherMs: GATHER_MS,
    sink: {
      begin: () => {},
      apply: (_partition, receipt, heardAt) => onReceipt({ ...receipt, heardAt }),
      undecodable: onRejected,
      unreadable: () => {},
      gap: () => {},
      progress: () => {},
    },
  });
}
