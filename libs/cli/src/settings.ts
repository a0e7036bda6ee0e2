import {
  CurfewError,
  type KafkaConnection,
  REDIS_URL,
  type RedisSecurity,
  readKafkaSecurity,
  readRedisSecurity,
  SECURITY_VARIABLES,
} from '@curfew/contracts';

/** Where things are, and who asks: from the environment. */
export interface Settings {
  readonly sessionServiceUrl: string;
  /** `id:secret` of a client of the session service. A secret: it is never shown. */
  readonly credential: string | undefined;
  readonly kafka: KafkaConnection;
  readonly redis: RedisSecurity & { readonly url: string };
}

/** The variables, as `--help` tells them. */
export const VARIABLES = [
  ['CURFEW_SESSION_SERVICE_URL', 'default http://127.0.0.1:7001'],
  ['CURFEW_CREDENTIAL', '<id>:<secret> of a client with the scopes sessions:read and, to revoke, revocations:write'],
  ['CURFEW_KAFKA_BROKERS', 'host:port,… for why, tail and doctor; default 127.0.0.1:19092'],
  ['CURFEW_REDIS_URL', 'for doctor; default redis://127.0.0.1:16379; several URLs between commas: a cluster'],
  ...SECURITY_VARIABLES,
] as const;

/** @throws CurfewError `option_invalid`, naming the variable and never its value: it may hold a password. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const url = URL.parse(env['CURFEW_SESSION_SERVICE_URL'] || 'http://127.0.0.1:7001');
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '')
    throw new CurfewError('option_invalid', 'CURFEW_SESSION_SERVICE_URL is not an http:// or https:// URL');
  const credential = env['CURFEW_CREDENTIAL'] || undefined;
  if (credential !== undefined && !/^[^:]+:./.test(credential))
    throw new CurfewError('option_invalid', 'CURFEW_CREDENTIAL is not <id>:<secret>');
  const brokers = (env['CURFEW_KAFKA_BROKERS'] || '127.0.0.1:19092').split(',').map((broker) => broker.trim());
  if (!brokers.every((broker) => /^\S+:\d{1,5}$/.test(broker)))
    throw new CurfewError('option_invalid', 'CURFEW_KAFKA_BROKERS is not a list of host:port');
  const redisUrl = env['CURFEW_REDIS_URL'] || 'redis://127.0.0.1:16379';
  if (!REDIS_URL.test(redisUrl))
    throw new CurfewError('option_invalid', 'CURFEW_REDIS_URL is not a redis:// or rediss:// URL');
  return {
    sessionServiceUrl: url.href.replace(/\/$/, ''),
    credential,
    kafka: { brokers, ...readKafkaSecurity(env) },
    redis: { url: redisUrl, ...readRedisSecurity(env) },
  };
}
