import { setTimeout as sleep } from 'node:timers/promises';
import { CurfewError } from '@curfew/contracts';
import type { SessionVersions, Verdict } from '@curfew/replica';
import { Authenticator } from './authenticator.ts';
import { KafkaVersionsReader } from './kafka-versions-reader.ts';
import type { Status } from './lifecycle.ts';
import { reportMetrics } from './metrics.ts';
import { readOptions, type SidecarOptions } from './options.ts';
import { ReadThrough } from './read-through.ts';
import { createRedisVersions } from './redis-versions.ts';
import type { Authentication, Policy } from './session.ts';
import { createTokenCheck, remoteKeys } from './token-check.ts';
import { VersionsView } from './versions-view.ts';

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
  const { redisUrl, service, tokenCacheSize, onWarning, now } = settings;
  const live = Promise.withResolvers<void>();
  live.promise.catch(() => {}); // Whoever awaits start() hears it.

  const view = new VersionsView({ ...settings, onLive: live.resolve, missing: () => reader.notReady() });
  const reader = new KafkaVersionsReader({
    ...settings,
    clientId: service,
    partitions: settings.partitions,
    sink: view,
  });
  const check = (versions: SessionVersions): Verdict => view.check(versions);

  let metrics: ReturnType<typeof reportMetrics> | undefined;
  const redis = redisUrl === undefined ? undefined : createRedisVersions(redisUrl);
  const readThrough =
    redis &&
    new ReadThrough(
      async (scopes) => {
        if (view.partitions === undefined) throw new CurfewError('not_ready', 'the partition count is not known yet');
        return redis.read(scopes, view.partitions);
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
    if (view.status === 'idle') return ['the sidecar is not started'];
    if (view.status === 'closed') return ['the sidecar is closed'];
    return reader.notReady();
  }

  // One try to reach Redis belongs to the start, so that the first requests find it; its absence delays nothing more.
  let redisTried: Promise<void> | undefined;

  async function start(): Promise<void> {
    if (view.turn('starting')) {
      metrics = reportMetrics({
        counts: authenticator.counts,
        entries: () => view.entries,
        undecodable: () => view.undecodableRecords,
      });
      redisTried = redis?.start((error) =>
        onWarning('Redis is away: what memory cannot prove is left to the policy of the route', error),
      );
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
    view.turn('closed');
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
      return view.status;
    },
    notReady,
    check,
    authenticate: (token, policy = 'strict') => authenticator.authenticate(token, policy),
  };
}
