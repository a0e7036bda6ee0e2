import { createRequire } from 'node:module';
import type { ConnectionOptions } from 'node:tls';
import type { KafkaSecurity } from '@curfew/contracts';
import { Kafka, type KafkaConfig, type LogEntry, logLevel, type SASLOptions } from 'kafkajs';

export interface KafkaOptions {
  /** `host:port` of brokers to begin with. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Longest wait for one answer of a broker, ms. Default 5000. */
  readonly requestTimeoutMs?: number;
  /** As `readKafkaSecurity` of @curfew/contracts reads it from the environment, or as `node:tls` takes it. Default: none. */
  readonly tls?: ConnectionOptions;
  /** In the same way, or as kafkajs takes it. Default: none. */
  readonly sasl?: KafkaSecurity['sasl'] | KafkaConfig['sasl'];
  /** Hears what kafkajs logs, from level info on. Default: nobody. */
  readonly log?: KafkaLog;
}

export type KafkaLog = (level: 'error' | 'warn' | 'info', message: string, details: object) => void;

const CONNECTION_TIMEOUT_MS = 2000;
const DEFAULT_REQUEST_TIMEOUT_MS = 5000;
/** Five tries in about two seconds, with jitter; whoever wants to go on trying does so in a loop of its own. */
const RETRY = { retries: 4, initialRetryTime: 100, maxRetryTime: 1000, factor: 0.3 };

/** A client of kafkajs with bounded waits and retries. It connects to nothing yet. */
export function createKafka({ brokers, clientId, requestTimeoutMs, log, tls, sasl }: KafkaOptions): Kafka {
  stopIdleQueueChecks();
  return new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: log ? logLevel.INFO : logLevel.NOTHING,
    logCreator: () => (entry) => log?.(levelOf(entry), entry.log.message, detailsOf(entry)),
    ...(tls === undefined ? {} : { ssl: tls }),
    // It takes the names of mechanisms as Kafka writes them too.
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
  });
}

function levelOf({ level }: LogEntry): 'error' | 'warn' | 'info' {
  if (level === logLevel.ERROR) return 'error';
  return level === logLevel.WARN ? 'warn' : 'info';
}

function detailsOf({ namespace, log: { message: _message, timestamp: _timestamp, ...details } }: LogEntry): object {
  return { ...details, namespace };
}

/** What the patch below touches of kafkajs' internal request queue. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

let patched = false;

/**
 * kafkajs 2.2.4 checks a connection's empty queue again and again with a timer of a negative delay: a thousand wake-ups
 * a second, and a TimeoutNegativeWarning in the log of the process that embeds it. An empty queue that is not throttled
 * needs no check, because every request that must wait schedules one itself.
 */
function stopIdleQueueChecks(): void {
  if (patched) return;
  patched = true;
  const require = createRequire(import.meta.url);
  const { prototype }: { prototype: RequestQueue } = require('kafkajs/src/network/requestQueue');
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}
