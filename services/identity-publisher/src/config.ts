import { readKafkaSecurity } from '@curfew/contracts';
import { ACCESS_ENV, ENV, listOf, readAccess, readConfig } from '@curfew/http';
import { Type } from 'typebox';

/** What it reads, but for what every client of Kafka and Redis reads (`readKafkaSecurity`, `readRedisSecurity`). */
export const ENVIRONMENT = Type.Object({
  CURFEW_KAFKA_BROKERS: ENV.brokers,
  CURFEW_ISSUER: ENV.issuer,
  ...ACCESS_ENV,
  HOST: ENV.host,
  PORT: ENV.port(7002),
});

/**
 * Reads the service's environment.
 *
 * @throws CurfewError `option_invalid`, naming the variable.
 */
export function readIdentityPublisherConfig(environment: NodeJS.ProcessEnv = process.env) {
  const env = readConfig(ENVIRONMENT, environment);
  return {
    kafka: { brokers: listOf(env.CURFEW_KAFKA_BROKERS), ...readKafkaSecurity(environment) },
    issuer: env.CURFEW_ISSUER,
    access: readAccess(env, 'identity-publisher'),
    host: env.HOST,
    port: env.PORT,
  };
}
