import {
  CurfewError,
  DEFAULT_PARTITIONS,
  type EffectRule,
  readKafkaSecurity,
  readRedisSecurity,
  TIERS,
} from '@curfew/contracts';
import { ACCESS_ENV, ENV, listOf, readAccess, readConfig } from '@curfew/http';
import { Type } from 'typebox';
import { Parse } from 'typebox/value';
import { readLifetimes } from './sessions/lifetimes.ts';
import { readRefreshKeys } from './sessions/refresh-tokens.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What it reads, but for what every client of Kafka and Redis reads (`readKafkaSecurity`, `readRedisSecurity`). */
export const ENVIRONMENT = Type.Object({
  CURFEW_KAFKA_BROKERS: ENV.brokers,
  CURFEW_REDIS_URL: ENV.redisUrl,
  CURFEW_ISSUER: ENV.issuer,
  CURFEW_AUDIENCE: ENV.audience,
  CURFEW_SIGNING_KEY: Type.String({ default: '' }),
  CURFEW_SIGNING_KEY_FILE: Type.String({ default: '' }),
  CURFEW_PARTITIONS: Type.Integer({ minimum: 1, maximum: 1024, default: DEFAULT_PARTITIONS }),
  CURFEW_ACCESS_TTL_MS: Type.Integer({ minimum: 1000, maximum: HOUR_MS, default: 10 * MINUTE_MS }),
  CURFEW_REFRESH_KEYS: Type.String({ minLength: 1 }),
  CURFEW_TIERS: Type.String({ default: '{}' }),
  // Within it a client tries again whose answer was lost: without it, that would be a theft.
  CURFEW_REUSE_GRACE_MS: Type.Integer({ minimum: 1000, maximum: MINUTE_MS, default: 10_000 }),
  CURFEW_MAX_SESSIONS_PER_SUBJECT: Type.Integer({ minimum: 0, maximum: 10_000, default: 0 }),
  CURFEW_SESSION_LIMIT_RULE: Type.Enum(['end-oldest', 'refuse'], { default: 'end-oldest' }),
  CURFEW_VERSION_TTL_MS: Type.Integer({ minimum: 1000, default: 30 * DAY_MS }),
  CURFEW_TICK_INTERVAL_MS: Type.Integer({ minimum: 10, maximum: MINUTE_MS, default: 500 }),
  CURFEW_MAX_VIEW_AGE_MS: ENV.maxViewAgeMs,
  CURFEW_CANARY_INTERVAL_MS: Type.Integer({ minimum: 0, maximum: HOUR_MS, default: 5000 }),
  CURFEW_EFFECT_RULES: Type.String({ default: '[]' }),
  ...ACCESS_ENV,
  HOST: ENV.host,
  PORT: ENV.port(7001),
});

const EffectRules = Type.Array(
  Type.Object(
    {
      type: Type.String({ minLength: 1 }),
      where: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      raise: Type.Union([Type.Literal('floor'), Type.Literal('current'), Type.Literal('nothing')]),
      blocks: Type.Optional(Type.Boolean()),
      narrows: Type.Optional(Type.Boolean()),
      keepsNamedSession: Type.Optional(Type.Boolean()),
      keepsExcepted: Type.Optional(Type.Boolean()),
      carriesClaims: Type.Optional(Type.Boolean()),
    },
    { additionalProperties: false },
  ),
);

/**
 * Reads the service's environment.
 *
 * @throws CurfewError `option_invalid`, naming the variable.
 */
export function readSessionServiceConfig(environment: NodeJS.ProcessEnv = process.env) {
  const env = readConfig(ENVIRONMENT, environment);
  if ((env.CURFEW_SIGNING_KEY === '') === (env.CURFEW_SIGNING_KEY_FILE === ''))
    throw new CurfewError('option_invalid', 'one of CURFEW_SIGNING_KEY and CURFEW_SIGNING_KEY_FILE is needed');
  const lifetimes = readLifetimes(env.CURFEW_TIERS);
  if (TIERS.some((tier) => lifetimes[tier].absoluteMs > env.CURFEW_VERSION_TTL_MS))
    throw new CurfewError(
      'option_invalid',
      'CURFEW_VERSION_TTL_MS is less than an absoluteMs of CURFEW_TIERS: versions would be forgotten before the sessions that they end',
    );
  return {
    /** Where the brokers are, and how they are reached. */
    kafka: { brokers: listOf(env.CURFEW_KAFKA_BROKERS), ...readKafkaSecurity(environment) },
    redisUrl: env.CURFEW_REDIS_URL,
    redisSecurity: readRedisSecurity(environment),
    issuer: env.CURFEW_ISSUER,
    audience: env.CURFEW_AUDIENCE,
    signingKey: env.CURFEW_SIGNING_KEY,
    /** Where the keys are read from, and read anew; undefined: from `signingKey`. */
    signingKeyFile: env.CURFEW_SIGNING_KEY_FILE || undefined,
    partitions: env.CURFEW_PARTITIONS,
    accessTtlMs: env.CURFEW_ACCESS_TTL_MS,
    refreshKeys: readRefreshKeys(env.CURFEW_REFRESH_KEYS),
    lifetimes,
    reuseGraceMs: env.CURFEW_REUSE_GRACE_MS,
    maxSessionsPerSubject: env.CURFEW_MAX_SESSIONS_PER_SUBJECT,
    limitRule: env.CURFEW_SESSION_LIMIT_RULE,
    versionTtlMs: env.CURFEW_VERSION_TTL_MS,
    tickIntervalMs: env.CURFEW_TICK_INTERVAL_MS,
    maxViewAgeMs: env.CURFEW_MAX_VIEW_AGE_MS,
    /** Between two canaries, ms; 0: none. */
    canaryIntervalMs: env.CURFEW_CANARY_INTERVAL_MS,
    /** Rules that come before Curfew's own (DESIGN section 4). */
    effectRules: readEffectRules(env.CURFEW_EFFECT_RULES),
    access: readAccess(env, env.CURFEW_ISSUER),
    host: env.HOST,
    port: env.PORT,
  };
}

function readEffectRules(json: string): readonly EffectRule[] {
  try {
    return Parse(EffectRules, JSON.parse(json)) as EffectRule[];
  } catch {
    throw new CurfewError(
      'option_invalid',
      'CURFEW_EFFECT_RULES is not a JSON list of rules, as in libs/contracts/src/effects.ts',
    );
  }
}
