import { randomUUID } from 'node:crypto';
import {
  CONTENT_TYPE,
  CurfewError,
  encodeJson,
  MAX_VALUE_BYTES,
  parseSet,
  recordKeyOf,
  type SecurityEventToken,
  subjectOf,
  TOPICS,
} from '@curfew/contracts';
import { ATTR, contextHeaders, endWithError, startSendSpan } from '@curfew/telemetry';
import {
  type AccountDisabling,
  type AccountEvent,
  accountDisabling,
  accountEnabling,
  type PasswordChange,
  passwordChange,
  type RolesChange,
  rolesChange,
  type SessionRevocation,
  sessionRevocation,
  setOf,
} from './account-events.ts';
import type { EventLog, EventRecord, LogPlace } from './event-log.ts';
import { createKafka } from './kafka-client.ts';
import { KafkaEventLog } from './kafka-event-log.ts';
import { checkOptions, DEFAULT_PUBLISH_TIMEOUT_MS, type PublisherOptions } from './options.ts';

const PROBE_INTERVAL_MS = 2000;

/** An account event that every in-sync replica of the bus holds: its jti, and where it stands in the log. */
export interface Published extends LogPlace {
  readonly id: string;
}

export interface PublisherParts {
  readonly log: EventLog;
  readonly issuer: string;
  readonly publishTimeoutMs: number;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
  /** A new jti. */
  readonly newId: () => string;
}

/**
 * Publishes account events. Each method resolves only when the bus has acknowledged the event (`acks: -1`), and fails
 * with CurfewError `set_rejected` (the event cannot be understood; `reason` says why), `bus_unavailable` (no
 * acknowledgement came within `publishTimeoutMs`) or `topic_mismatch`. An event that was sent and not acknowledged may
 * still arrive; publishing it again is safe, but ends the sessions that were opened meanwhile as well.
 */
export class Publisher {
  readonly #parts: PublisherParts;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** Begins to connect. Never fails: while Kafka is absent it goes on trying, and `notReady` says so. */
  start(): Promise<void> {
    return this.#parts.log.start();
  }

  /** What keeps events from being published, in words; empty when nothing is known to. */
  notReady(): readonly string[] {
    return this.#parts.log.notReady();
  }

  passwordChanged(change: PasswordChange): Promise<Published> {
    return this.#publishEvent((now) => passwordChange(change, now));
  }

  accountDisabled(disabling: AccountDisabling): Promise<Published> {
    return this.#publishEvent(() => accountDisabling(disabling));
  }

  accountEnabled(enabling: { readonly subject: string }): Promise<Published> {
    return this.#publishEvent(() => accountEnabling(enabling));
  }

  rolesChanged(change: RolesChange): Promise<Published> {
    return this.#publishEvent((now) => rolesChange(change, now));
  }

  sessionRevoked(revocation: SessionRevocation): Promise<Published> {
    return this.#publishEvent((now) => sessionRevocation(revocation, now));
  }

  /** Publishes a SET as it is, once its claims are found good; claims that Curfew does not know are dropped. */
  async publish(set: SecurityEventToken): Promise<Published> {
    const parsed = parseSet(set);
    if (!parsed.ok) throw new CurfewError('set_rejected', parsed.detail, { reason: parsed.code });
    const span = startSendSpan({ topic: TOPICS.accountEvents });
    try {
      const place = await this.#append({
        key: recordKeyOf(subjectOf(parsed.value.sub_id)),
        value: encodeSet(parsed.value),
        headers: { 'content-type': CONTENT_TYPE.json, ...contextHeaders(span) },
      });
      span.setAttributes({ [ATTR.messagingPartition]: String(place.partition), [ATTR.messagingOffset]: place.offset });
      span.end();
      return { id: parsed.value.jti, ...place };
    } catch (error) {
      endWithError(span, error);
      throw error;
    }
  }

  /** Lets go of Kafka, after the events on their way. Idempotent, and the same promise for everybody. */
  close(): Promise<void> {
    return this.#parts.log.close();
  }

  async #publishEvent(build: (now: number) => AccountEvent): Promise<Published> {
    const now = this.#parts.now();
    return this.publish(setOf(build(now), this.#parts.issuer, this.#parts.newId(), now));
  }

  async #append(record: EventRecord): Promise<LogPlace> {
    const { log, publishTimeoutMs } = this.#parts;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const detail = `no acknowledgement within ${publishTimeoutMs} ms; the event may still arrive`;
      reject(new CurfewError('bus_unavailable', detail));
    }, publishTimeoutMs);
    try {
      return await Promise.race([log.append(record), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function encodeSet(set: SecurityEventToken): Buffer {
  let value: Buffer;
  try {
    value = encodeJson(set);
  } catch (cause) {
    throw new CurfewError('set_rejected', 'the events cannot be written as JSON', { reason: 'set_invalid', cause });
  }
  if (value.byteLength > MAX_VALUE_BYTES) {
    const detail = `${value.byteLength} bytes; at most ${MAX_VALUE_BYTES} are read`;
    throw new CurfewError('set_rejected', detail, { reason: 'value_too_large' });
  }
  return value;
}

/**
 * A publisher of account events on Kafka, for an identity system to embed. Call `start()` before it is used.
 *
 * @throws CurfewError `option_invalid`
 */
export function createPublisher(options: PublisherOptions): Publisher {
  checkOptions(options);
  const { issuer, partitions, onReadiness, clientId = 'curfew-publisher' } = options;
  const publishTimeoutMs = options.publishTimeoutMs ?? DEFAULT_PUBLISH_TIMEOUT_MS;
  const kafka = createKafka({ ...options, clientId, requestTimeoutMs: publishTimeoutMs });
  const log = new KafkaEventLog({
    kafka,
    partitions,
    onReadiness,
    limitMs: publishTimeoutMs,
    probeIntervalMs: PROBE_INTERVAL_MS,
  });
  return new Publisher({ log, issuer, publishTimeoutMs, now: Date.now, newId: randomUUID });
}
