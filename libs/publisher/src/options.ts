import { CurfewError, checkSecurity } from '@curfew/contracts';
import type { KafkaOptions } from './kafka-client.ts';

export interface PublisherOptions extends Pick<KafkaOptions, 'brokers' | 'tls' | 'sasl'> {
  /** `iss` of the SETs: who says what happened. */
  readonly issuer: string;
  /** Name towards the brokers. Default `curfew-publisher`. */
  readonly clientId?: string;
  /** Partitions that the log should have. Default: as many as it has. Another count makes every call `topic_mismatch`. */
  readonly partitions?: number;
  /** Longest time from a call to its answer, ms, 1 to 600000. Default 5000. */
  readonly publishTimeoutMs?: number;
  /** Hears what `notReady` says, whenever that changes after `start`. */
  readonly onReadiness?: (notReady: readonly string[]) => void;
}

export const DEFAULT_PUBLISH_TIMEOUT_MS = 5000;
const MAX_PUBLISH_TIMEOUT_MS = 600_000;

/** @throws CurfewError `option_invalid`, naming the option. */
export function checkOptions(options: PublisherOptions): void {
  const { brokers, issuer, clientId, partitions, publishTimeoutMs } = options;
  checkSecurity(options);
  if (!Array.isArray(brokers) || brokers.length === 0 || !brokers.every((broker) => /^\S+:\d{1,5}$/.test(broker)))
    throw new CurfewError('option_invalid', 'brokers is not a list of host:port');
  if (typeof issuer !== 'string' || issuer === '') throw new CurfewError('option_invalid', 'issuer is not a text');
  if (clientId !== undefined && (typeof clientId !== 'string' || clientId === ''))
    throw new CurfewError('option_invalid', 'clientId is not a text');
  if (!isWithin(partitions, Number.MAX_SAFE_INTEGER))
    throw new CurfewError('option_invalid', 'partitions is not a number from 1');
  if (!isWithin(publishTimeoutMs, MAX_PUBLISH_TIMEOUT_MS))
    throw new CurfewError(
      'option_invalid',
      `publishTimeoutMs is not a number of ms from 1 to ${MAX_PUBLISH_TIMEOUT_MS}`,
    );
}

const isWithin = (value: number | undefined, max: number): boolean =>
  value === undefined || (Number.isSafeInteger(value) && value >= 1 && value <= max);
