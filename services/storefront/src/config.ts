import { DEFAULT_PARTITIONS, MAX_VIEW_AGE_MS, readKafkaSecurity, readRedisSecurity } from '@curfew/contracts';
import { ENV, listOf, readConfig } from '@curfew/http';
import { Type } from 'typebox';

/** What it reads, but for what every client of Kafka and Redis reads (`readKafkaSecurity`, `readRedisSecurity`). */
export const ENVIRONMENT = Type.Object({
  CURFEW_SERVICE_NAME: Type.String({ minLength: 1, default: 'orders' }),
  CURFEW_KAFKA_BROKERS: ENV.brokers,
  CURFEW_REDIS_URL: ENV.redisUrl,
  CURFEW_ISSUER: ENV.issuer,
  CURFEW_AUDIENCE: ENV.audience,
  CURFEW_WINDOW_MS: Type.Integer({ minimum: 1000, default: 900_000 }),
  CURFEW_MAX_VIEW_AGE_MS: Type.Integer({ minimum: 251, maximum: MAX_VIEW_AGE_MS, default: 2000 }),
  CURFEW_PARTITIONS: Type.Integer({ minimum: 1, maximum: 100_000, default: DEFAULT_PARTITIONS }),
  CURFEW_PAYMENTS_URL: Type.String({ pattern: '^https?://', default: 'http://127.0.0.1:7012' }),
  HOST: ENV.host,
  PORT: ENV.port(7011),
});

/**
 * Reads the service's environment.
 *
 * @throws CurfewError `option_invalid`, naming the variable.
 */
export function readStorefrontConfig(environment: NodeJS.ProcessEnv = process.env) {
  const env = readConfig(ENVIRONMENT, environment);
  return {
    service: env.CURFEW_SERVICE_NAME,
    brokers: listOf(env.CURFEW_KAFKA_BROKERS),
    ...readKafkaSecurity(environment),
    redisUrl: env.CURFEW_REDIS_URL,
    redisSecurity: readRedisSecurity(environment),
    issuer: env.CURFEW_ISSUER,
    audience: env.CURFEW_AUDIENCE,
    windowMs: env.CURFEW_WINDOW_MS,
    maxViewAgeMs: env.CURFEW_MAX_VIEW_AGE_MS,
    partitions: env.CURFEW_PARTITIONS,
    paymentsUrl: env.CURFEW_PAYMENTS_URL,
    host: env.HOST,
    port: env.PORT,
  };
}
