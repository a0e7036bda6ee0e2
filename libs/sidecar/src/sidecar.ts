import { setTimeout as sleep } from 'node:timers/promises';
import { CurfewError, type Tick, TOPICS, type VersionRecord } from '@curfew/contracts';
import { Replica, type SessionVersions, type Verdict } from '@curfew/replica';
import { contextOfHeaders, startProcessSpan } from '@curfew/telemetry';
import { Authenticator } from './authenticator.ts';
import { KafkaVersionsReader } from './kafka-versions-reader.ts';
import { Lifecycle, type Status } from './lifecycle.ts';
import { reportMetrics } from './metrics.ts';
import { readOptions, type SidecarOptions } from './options.ts';
import type { BatchRecord } from './partition-feed.ts';
import { ReadThrough } from './read-through.ts';
import { createRedisVersions } from './redis-versions.ts';
import type { Authentication, Policy } from './session.ts';
import { createTokenCheck, remoteKeys } from './token-check.ts';

/** What a service embeds: it knows which sessions have ended, and says so without a call on the request path. */
export interface Sidecar {
  /**
   * Begins to read session-versions, and resolves once every partition was read to its end. While Kafka is away, it goes
   * on trying. Calls share one start.
   *
   * @throws CurfewError `not_ready` after `startTimeoutMs`, with what is missing, or because `close` came first.
   */
  start(): Promise<void>;
  /** Ends everything that `start` began. Calls share one close; nothing is left open after it. */
  close(): Promise<void>;
  readonly status: Status;
  /** What keeps the sidecar from being `live`, in words; empty when it is. For `/readyz`. */
  notReady(): readonly string[];
  /**
   * Decides about a session that was accepted before, by memory alone: for work that outlasts a request. It looks at no
   * expiry. Synchronous, and allocates nothing.
   */
  check(versions: SessionVersions): Verdict;
  /**
   * Decides about the token of a request (DESIGN section 7). A token that was seen before gets its answer at once, not as
   * a promise, unless it has to be read through. It never throws and never rejects.
   *
   * @param policy what to do where nothing can be proven. Default `strict`.
   */
  authenticate(token: string, policy?: Policy): Authentication | Promise<Authentication>;
}

/** @throws CurfewError `option_invalid`, naming the option. */
export function createSidecar(options: SidecarOptions): Sidecar {
  const settings = readOptions(options);
  const { redisUrl, service, maxEntries, maxClockSkewMs, tokenCacheSize, onWarning, now } = settings;
  const lifecycle = new Lifecycle();
  const live = Promise.withResolvers<void>();
  live.promise.catch(() => {}); // Whoever awaits start() hears it.

  // Knows nothing, and therefore proves nothing, until the topic is found.
  let replica = new Replica({ partitions: 0, horizon: Number.POSITIVE_INFINITY, now });
  let partitions: number | undefined;
  let undecodable = 0;

  const reader = new KafkaVersionsReader({
    ...settings,
    clientId: service,
    partitions: settings.partitions,
    sink: {
      begin: (count, horizon) => {
        partitions = count;
        replica = new Replica({ partitions: count, horizon, maxEntries, maxClockSkewMs, now });
      },
      apply: (partition, record, announcedAt, offset, raw) => {
        if (record.kind === 'tick') replica.apply(partition, record, announcedAt);
        else applyTraced(partition, record, announcedAt, offset, raw);
      },
      undecodable: (partition, announcedAt, offset) => {
        undecodable++;
        replica.raiseHorizon(announcedAt);
        onWarning(`${TOPICS.sessionVersions} partition ${partition} offset ${offset} cannot be understood`);
      },
      gap: (partition) => {
        replica.raiseHorizon(now());
        onWarning(`${TOPICS.sessionVersions} partition ${partition} is not the log that was read before`);
      },
      progress,
    },
  });

  function applyTraced(
    partition: number,
    record: VersionRecord | Tick,
    announcedAt: number,
    offset: number,
    raw: BatchRecord,
  ): void {
    const place = { topic: TOPICS.sessionVersions, partition, offset };
    const span = startProcessSpan(
      place,
      contextOfHeaders((name) => headerOf(raw, name)),
      'apply session version',
    );
    replica.apply(partition, record, announcedAt);
    span.end();
  }

  function progress(): void {
    const missing = reader.notReady();
    if (missing.length > 0) {
      if (lifecycle.turn('degraded')) onWarning(`the feed is lost: ${missing.join('; ')}`);
    } else if (lifecycle.turn('live')) live.resolve();
  }

  const redis = redisUrl === undefined ? undefined : createRedisVersions(redisUrl);
  const check = (versions: SessionVersions): Verdict => {
    const verdict = replica.check(versions);
    return verdict === 'active' && !lifecycle.complete ? 'unprovable' : verdict;
  };
  let metrics: ReturnType<typeof reportMetrics> | undefined;
  const readThrough =
    redis &&
    new ReadThrough(
      async (session) => {
        if (partitions === undefined) throw new CurfewError('not_ready', 'the partition count is not known yet');
        return redis.read(session, partitions);
      },
      now,
      (durationMs, ok) => metrics?.onRead(durationMs, ok),
    );
  const authenticator = new Authenticator({
    checkToken: createTokenCheck(settings, remoteKeys(settings.jwksUrl)),
    check,
    readThrough,
    tokenCacheSize,
    now,
  });

  function notReady(): readonly string[] {
    if (lifecycle.status === 'idle') return ['the sidecar is not started'];
    if (lifecycle.status === 'closed') return ['the sidecar is closed'];
    return reader.notReady();
  }

  // One try to reach Redis belongs to the start, so that the first requests find it; its absence delays nothing more.
  let redisTried: Promise<void> | undefined;

  async function start(): Promise<void> {
    if (lifecycle.turn('starting')) {
      metrics = reportMetrics({
        counts: authenticator.counts,
        entries: () => replica.size,
        undecodable: () => undecodable,
      });
      redisTried = redis?.start((error) => onWarning('Redis', error));
      reader.start();
    }
    const started = Promise.all([live.promise, redisTried]);
    if (settings.startTimeoutMs === undefined) return void (await started);
    const timer = new AbortController();
    const tooLate = sleep(settings.startTimeoutMs, undefined, { signal: timer.signal }).then(() => {
      throw new CurfewError('not_ready', notReady().join('; '));
    });
    await Promise.race([started, tooLate]).finally(() => timer.abort());
  }

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    lifecycle.turn('closed');
    live.reject(new CurfewError('not_ready', 'the sidecar is closed'));
    metrics?.stop();
    await Promise.all([redis?.close(), reader.close()]);
  }

  return {
    start,
    close: () => {
      closing ??= close();
      return closing;
    },
    get status() {
      return lifecycle.status;
    },
    notReady,
    check,
    authenticate: (token, policy = 'strict') => authenticator.authenticate(token, policy),
  };
}

function headerOf({ headers }: BatchRecord, name: string): string | undefined {
  for (const [key, value] of headers) if (key?.toString() === name) return value?.toString();
  return undefined;
}
