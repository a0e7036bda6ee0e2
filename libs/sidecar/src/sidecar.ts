import { setTimeout as sleep } from 'node:timers/promises';
import { type AccessTokenClaims, CurfewError, isCanary, REALM_ID } from '@curfew/contracts';
import { type SessionVersions, sessionVersions, type Verdict } from '@curfew/replica';
import { createRedis, holdsPartitions, readUsedRecord, readVersions } from '@curfew/store';
import { Acceptances } from './acceptances.ts';
import { acknowledgement, sinceAcknowledgement } from './acknowledgement.ts';
import { Authenticator } from './authenticator.ts';
import { Circuit } from './circuit.ts';
import { CookieAuthenticator } from './cookie-authenticator.ts';
import { FirstRejections } from './first-rejections.ts';
import { KafkaReceiptsWriter } from './kafka-receipts-writer.ts';
import { KafkaVersionsReader } from './kafka-versions-reader.ts';
import type { Status } from './lifecycle.ts';
import { reportMetrics } from './metrics.ts';
import { readOptions, type SidecarOptions, wholeNumber } from './options.ts';
import { ReadThrough } from './read-through.ts';
import { Receipts } from './receipts.ts';
import type { Authentication, Policy, RouteRefusal, Session } from './session.ts';
import { within } from './time-limit.ts';
import { createTokenCheck, remoteKeys } from './token-check.ts';
import { VersionsView } from './versions-view.ts';
import { Watch } from './watch.ts';

/** What a service embeds: it knows which sessions have ended, and says so without a call on the request path. */
export interface Sidecar {
  /**
   * Begins to read session-versions, and resolves once sessions can be proven: by memory, when the views are inside the
   * bound, or by Redis meanwhile, so that a service can start while Kafka is away; and once it has said so to whoever waits
   * for a revocation, which it gives half a second. It goes on trying. Calls share one start.
   *
   * @throws CurfewError `not_ready` after `startTimeoutMs`, with what is missing, or because `close` came first.
   */
  start(): Promise<void>;
  /** Ends everything that `start` began. Calls share one close; nothing is left open after it. */
  close(): Promise<void>;
  readonly state: Status;
  /** What the sidecar's state is and what is wrong, in words, for whoever operates the service. */
  status(): string;
  /** What keeps the sidecar from proving any session, in words; empty while memory or Redis can. For `/readyz`. */
  notReady(): readonly string[];
  /**
   * The bound of a route, ms: `maxViewAgeMs`, or the sidecar's own where it names none.
   *
   * @throws CurfewError `option_invalid` where it is longer than the sidecar's, or no longer than the clock skew.
   */
  boundOf(maxViewAgeMs?: number): number;
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
   * @param maxViewAgeMs a bound below the sidecar's own, from `boundOf`; a longer one has no effect.
   */
  authenticate(token: string, policy?: Policy, maxViewAgeMs?: number): Authentication | Promise<Authentication>;
  /**
   * Decides about the session cookie of a request, by its value, as `authenticate` does about a token: the record is read
   * from Redis once, and decides from memory from then on. Without a `redisUrl` no cookie is a session.
   */
  authenticateCookie(id: string, policy?: Policy, maxViewAgeMs?: number): Authentication | Promise<Authentication>;
  /** Counts a request that a route turns away, though its session, if it has one, was accepted. */
  turnedAway(code: RouteRefusal['code'], session?: Session): void;
  /** The sidecar's clock, ms since the epoch. */
  readonly now: () => number;
}

/** @throws CurfewError `option_invalid`, naming the option. */
export function createSidecar(options: SidecarOptions): Sidecar {
  const settings = readOptions(options);
  const { redisUrl, service, tokenCacheSize, maxViewAgeMs, maxClockSkewMs, onWarning, onStatus, now } = settings;

  const firstRejections = new FirstRejections();
  let startedAt = Number.POSITIVE_INFINITY;
  const view = new VersionsView({
    ...settings,
    onRaised: (record, span, partition) => {
      firstRejections.raised(record, span);
      const { brokerLeadMs } = view;
      // While it catches up, every record is old, and looks as if the broker were behind.
      const acknowledgedBy = record.at - Math.max(0, brokerLeadMs);
      // What was acknowledged long before is caught up with: nobody asks this sidecar since when it knows.
      if (acknowledgedBy < startedAt - maxViewAgeMs) return;
      const at = now();
      if (acknowledgedBy >= startedAt)
        metrics?.onApplied(
          sinceAcknowledgement(record.at, brokerLeadMs, at, settings.maxClockSkewMs),
          isCanary(record.scope.slice(2)),
        );
      receipts.applied({ record, partition, at, ...acknowledgement(record.at, brokerLeadMs) });
    },
    onProgress: () => watch.look(),
  });
  const reader = new KafkaVersionsReader({
    ...settings,
    clientId: service,
    partitions: settings.partitions,
    sink: view,
    onRefused: (error) => onWarning('Kafka turns the sidecar away', error),
  });

  let metrics: ReturnType<typeof reportMetrics> | undefined;
  const redis = redisUrl === undefined ? undefined : createRedis(redisUrl, settings.redisSecurity);
  /** Until Kafka has told the count, the configured one, once Redis was seen to agree: a wrong one finds no versions. */
  let agreed: number | undefined;
  const partitions = () => view.partitions ?? agreed;
  /** Why Redis refuses to say something, by what it is. */
  const refusals = new Map<'versions' | 'records', CurfewError>();
  const limited = async <T>(of: 'versions' | 'records', read: Promise<T>): Promise<T> => {
    try {
      const answer = await within(settings.readThroughTimeoutMs, read);
      refusals.delete(of);
      return answer;
    } catch (error) {
      if (error instanceof CurfewError && error.reason !== undefined) {
        if (!refusals.has(of)) onWarning(`Redis refuses to say what the sidecar asks of ${of}`, error);
        refusals.set(of, error);
      }
      throw error;
    }
  };
  const circuit = new Circuit(now);
  const readThrough =
    redis &&
    new ReadThrough({
      read: (session) => limited('versions', readVersions(redis.client, session, partitions() ?? 0)),
      canRead: () => partitions() !== undefined,
      circuit,
      skewMs: () => view.skewMs,
      noteTick: (tick) => view.noteTick(tick),
      now,
      onRead: (durationMs, ok) => metrics?.onRead(durationMs, ok),
    });
  const watch = new Watch({
    maxViewAgeMs,
    viewAgesMs: () => view.viewAgesMs(),
    missing: () => reader.notReady(),
    storeProves: readThrough && storeProves,
    storeTrouble: () => refusals.get('versions')?.detail ?? redis?.notReady()[0],
    onStatus: (change) => {
      metrics?.onStatus(change.to);
      receipts.news();
      onStatus(change);
    },
    onWarning,
    onLook: () => settings.clock.follow(),
    now,
  });
  const acceptances = new Acceptances(settings.clock.epoch);
  const authenticator = new Authenticator({
    checkToken: createTokenCheck(settings, remoteKeys(settings.jwksUrl)),
    checkAt: (versions, bound, at) => view.checkAt(versions, bound, at),
    readThrough,
    acceptances,
    tokenCacheSize,
    clock: settings.clock,
    onRejected: (versions, code) => firstRejections.rejected(versions, code),
  });
  const writer = settings.receipts ? new KafkaReceiptsWriter({ ...settings, clientId: service }) : undefined;
  const receipts = new Receipts({
    ...settings,
    state: () => watch.state,
    partitions: (at) => view.receiptPartitions(at),
    exposures: (bumps) => acceptances.exposures(bumps, settings.clock.leaptAt()),
    send: async (receipt) => writer?.write(receipt),
    onExposed: (requests) => metrics?.onExposed(requests),
    onSent: (ok) => writer && metrics?.onReceipt(ok),
  });

  const cookies =
    redis &&
    new CookieAuthenticator({
      authenticator,
      read: (sid, idHash) => limited('records', readUsedRecord(redis.client, sid, idHash)),
      circuit,
      issuer: settings.issuer,
      audience: settings.audience,
      cacheSize: tokenCacheSize,
      clock: settings.clock,
      onWarning,
    });

  async function storeProves(): Promise<boolean> {
    if (partitions() === undefined && redis !== undefined && settings.partitions !== undefined) {
      const holds = await limited('versions', holdsPartitions(redis.client, settings.partitions)).catch(() => false);
      if (holds) agreed = settings.partitions;
    }
    return (await readThrough?.proves(NOBODY, maxViewAgeMs)) ?? false;
  }

  // One try to reach Redis belongs to the start, so that the first requests find it; its absence delays nothing more.
  let redisTried: Promise<void> | undefined;
  let said: Promise<void> | undefined;

  async function start(): Promise<void> {
    if (watch.start()) {
      metrics = reportMetrics({
        counts: authenticator.counts,
        cookieCounts: cookies?.counts,
        entries: () => view.entries,
        undecodableRecords: () => view.undecodableRecords,
        undecodableAnswers: () => view.undecodableAnswers,
        viewAgesMs: () => view.viewAgesMs(),
        maxViewAgeMs,
        largestLeadMs: () => view.largestLeadMs,
        state: () => watch.state,
      });
      redisTried = redis?.start((error) =>
        onWarning('Redis is away: what memory cannot prove is left to the policy of the route', error),
      );
      startedAt = now();
      said = receipts.start();
      reader.start();
    }
    const started = Promise.all([watch.canServe, redisTried, said]);
    if (settings.startTimeoutMs === undefined) return void (await started);
    const timer = new AbortController();
    const tooLate = sleep(settings.startTimeoutMs, undefined, { signal: timer.signal }).then(() => {
      throw new CurfewError('not_ready', watch.notReady().join('; '));
    });
    await Promise.race([started, tooLate]).finally(() => timer.abort());
  }

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    watch.stop(new CurfewError('not_ready', 'the sidecar is closed'));
    view.close();
    metrics?.stop();
    await Promise.all([redis?.close(), reader.close(), receipts.close().then(() => writer?.close())]);
  }

  return {
    start,
    close: () => {
      closing ??= close();
      return closing;
    },
    get state() {
      return watch.state;
    },
    status: () => watch.says(),
    notReady: () => watch.notReady(),
    boundOf: (bound = maxViewAgeMs) => wholeNumber('maxViewAgeMs of a route', bound, maxClockSkewMs + 1, maxViewAgeMs),
    check: (versions) => view.check(versions, maxViewAgeMs),
    authenticate: (token, policy = 'strict', bound = maxViewAgeMs) =>
      authenticator.authenticate(token, policy, Math.min(bound, maxViewAgeMs)),
    authenticateCookie: (id, policy = 'strict', bound = maxViewAgeMs) =>
      cookies === undefined
        ? authenticator.refuse('session_invalid')
        : cookies.authenticate(id, policy, Math.min(bound, maxViewAgeMs)),
    turnedAway: (code, session) => {
      authenticator.counts.policy[code]++;
      if (session !== undefined) authenticator.takeBack(session.versions);
    },
    now,
  };
}

/** A session that asks for the realm's tick alone: there is no such subject. */
const NOBODY = sessionVersions({
  sub: REALM_ID,
  sid: REALM_ID,
  ver: { s: 0, t: 0, r: 0, at: 0 },
} as AccessTokenClaims);
