import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { CurfewError, checkSecurity, MAX_VIEW_AGE_MS, REDIS_URL, type RedisSecurity } from '@curfew/contracts';
import { type Clock, clockOf, createClock } from './clock.ts';
import type { KafkaSecurity } from './kafka-security.ts';
import type { Status } from './lifecycle.ts';

/** A change in the sidecar's life. */
export interface StatusChange {
  readonly from: Status;
  readonly to: Status;
  /** What it is like now, in words: what `sidecar.status()` says. */
  readonly says: string;
}

export interface SidecarOptions extends KafkaSecurity {
  /** `host:port` of brokers to begin with. */
  readonly brokers: readonly string[];
  /**
   * Redis for what the replica cannot prove, `redis://` or `rediss://`; several URLs between commas name a cluster.
   * Default: none, and such requests are unproven.
   */
  readonly redisUrl?: string;
  /** What the URL does not say, as `readRedisSecurity` reads it from the environment. Default: nothing. */
  readonly redisSecurity?: RedisSecurity;
  /** `iss` that a token must carry. */
  readonly issuer: string;
  /** `aud` that a token must carry. */
  readonly audience: string;
  /** Name of the service that embeds the sidecar; its name towards the brokers. */
  readonly service: string;
  /** Where the issuer's keys are (RFC 7517). Default `<issuer>/.well-known/jwks.json`. */
  readonly jwksUrl?: string;
  /**
   * Partitions that session-versions should have. Default: as many as it has. Another count keeps the sidecar unready.
   * With it the sidecar can read through to Redis even where Kafka was away from its start.
   */
  readonly partitions?: number;
  /**
   * Bumps of how long ago are read at the start, ms, 1000 to 86400000. Default 900000 (15 min): at least the longest life
   * of an access token. A session minted earlier is read through to Redis.
   */
  readonly windowMs?: number;
  /** Most scopes kept in memory, 1 to 10000000. Default 100000. What falls out costs read-throughs, never safety. */
  readonly maxEntries?: number;
  /**
   * The bound, ms, up to 86400000 and more than `maxClockSkewMs`. Default 2000: a session is accepted only by what is
   * known to be complete up to so long ago. A route may ask for less, not for more.
   */
  readonly maxViewAgeMs?: number;
  /** Longest wait for Redis that a request may cost, ms, 1 to 60000. Default 50. */
  readonly readThroughTimeoutMs?: number;
  /**
   * How far the clocks of issuer, session service, brokers and this process may differ, ms, 0 to 60000. Default 250. It is
   * added to the age of every view, and a tick from further in the future raises it.
   */
  readonly maxClockSkewMs?: number;
  /** Most verified tokens kept in memory, 1 to 10000000. Default 10000. */
  readonly tokenCacheSize?: number;
  /** Longest wait of `start`, ms, 1 to 86400000. Default: as long as it takes. The sidecar goes on trying afterwards. */
  readonly startTimeoutMs?: number;
  /**
   * Whether the sidecar reports what it has applied, and when, so that the session service can tell where a revocation is
   * effective. Default true.
   */
  readonly receipts?: boolean;
  /** Name of this sidecar among all, in its receipts. Default `<hostname>-<pid>-<4 hex digits>`. */
  readonly instance?: string;
  /** Hears what an operator should know: the bound lost and kept again, records that cannot be read, Redis away. */
  readonly onWarning?: (message: string, error?: unknown) => void;
  /** Hears each change of `state`. */
  readonly onStatus?: (change: StatusChange) => void;
  /** Clock, ms since the epoch; it must never go back. Default: one that starts with the wall clock and does not. */
  readonly now?: () => number;
}

/** Options with their defaults. */
export type Settings = Required<Omit<SidecarOptions, Optional>> &
  Pick<SidecarOptions, Optional> & {
    readonly clock: Clock;
  };
type Optional = 'redisUrl' | 'partitions' | 'startTimeoutMs' | 'tls' | 'sasl';

const DAY_MS = 86_400_000;
const MILLIONS = 10_000_000;

/** @throws CurfewError `option_invalid`, naming the option and what it should be. */
export function readOptions(options: SidecarOptions): Settings {
  const { brokers, redisUrl, issuer, audience, service, partitions, startTimeoutMs, receipts = true } = options;
  const { instance = `${hostname()}-${process.pid}-${randomBytes(2).toString('hex')}` } = options;
  if (!Array.isArray(brokers) || brokers.length === 0 || !brokers.every((broker) => /^\S+:\d{1,5}$/.test(broker)))
    throw new CurfewError('option_invalid', 'brokers is not a list of host:port');
  for (const [name, text] of Object.entries({ issuer, audience, service, instance }))
    if (typeof text !== 'string' || text === '') throw new CurfewError('option_invalid', `${name} is not a text`);
  if (typeof receipts !== 'boolean') throw new CurfewError('option_invalid', 'receipts is not true or false');
  if (redisUrl !== undefined && !REDIS_URL.test(redisUrl))
    throw new CurfewError('option_invalid', 'redisUrl is not a redis:// or rediss:// URL, nor several between commas');
  const jwksUrl = options.jwksUrl ?? `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`;
  if (!/^https?:$/.test(URL.parse(jwksUrl)?.protocol ?? ''))
    throw new CurfewError('option_invalid', 'jwksUrl (by default made from issuer) is not an http:// or https:// URL');

  const { tls, sasl, redisSecurity = {} } = options;
  checkSecurity(options);
  checkSecurity(redisSecurity);
  const maxClockSkewMs = wholeNumber('maxClockSkewMs', options.maxClockSkewMs ?? 250, 0, 60_000);
  const clock = options.now ? clockOf(options.now) : createClock();
  return {
    brokers,
    issuer,
    audience,
    service,
    instance,
    receipts,
    jwksUrl,
    windowMs: wholeNumber('windowMs', options.windowMs ?? 900_000, 1000, DAY_MS),
    maxEntries: wholeNumber('maxEntries', options.maxEntries ?? 100_000, 1, MILLIONS),
    maxViewAgeMs: wholeNumber('maxViewAgeMs', options.maxViewAgeMs ?? 2000, maxClockSkewMs + 1, MAX_VIEW_AGE_MS),
    readThroughTimeoutMs: wholeNumber('readThroughTimeoutMs', options.readThroughTimeoutMs ?? 50, 1, 60_000),
    maxClockSkewMs,
    tokenCacheSize: wholeNumber('tokenCacheSize', options.tokenCacheSize ?? 10_000, 1, MILLIONS),
    onWarning: safely(options.onWarning),
    onStatus: safely(options.onStatus),
    now: clock.now,
    clock,
    redisSecurity,
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl }),
    ...(redisUrl === undefined ? {} : { redisUrl }),
    ...(partitions === undefined ? {} : { partitions: wholeNumber('partitions', partitions, 1, 100_000) }),
    ...(startTimeoutMs === undefined
      ? {}
      : { startTimeoutMs: wholeNumber('startTimeoutMs', startTimeoutMs, 1, DAY_MS) }),
  };
}

/** A listener that throws must not end the reading of the feed. */
function safely<Told extends unknown[]>(listener: ((...told: Told) => void) | undefined): (...told: Told) => void {
  return (...told) => {
    try {
      listener?.(...told);
    } catch {}
  };
}

/** @throws CurfewError `option_invalid`, naming the option. */
export function wholeNumber(name: string, value: number, min: number, max: number): number {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw new CurfewError('option_invalid', `${name} is not a whole number from ${min} to ${max}`);
  return value;
}
