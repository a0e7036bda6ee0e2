import { CurfewError, MAX_VIEW_AGE_MS, REDIS_URL } from '@curfew/contracts';
import { envSchema } from 'env-schema';
import { type Static, type TObject, Type } from 'typebox';

/** Environment variables that more than one service reads. */
export const ENV = {
  brokers: Type.String({ minLength: 1, default: '127.0.0.1:19092' }),
  redisUrl: Type.String({ pattern: REDIS_URL.source, default: 'redis://127.0.0.1:16379' }),
  issuer: Type.String({ minLength: 1, default: 'http://127.0.0.1:7001' }),
  audience: Type.String({ minLength: 1, default: 'curfew' }),
  maxViewAgeMs: Type.Integer({ minimum: 1, maximum: MAX_VIEW_AGE_MS, default: 2000 }),
  host: Type.String({ minLength: 1, default: '127.0.0.1' }),
  port: (fallback: number) => Type.Integer({ minimum: 0, maximum: 65535, default: fallback }),
};

/**
 * Reads a service's environment by a schema of TypeBox, with its defaults.
 *
 * @throws CurfewError `option_invalid`, naming the variable and what it should be.
 */
export function readConfig<S extends TObject>(schema: S, environment: NodeJS.ProcessEnv = process.env): Static<S> {
  try {
    return envSchema<Static<S>>({ schema, data: environment, env: false });
  } catch (error) {
    throw new CurfewError('option_invalid', (error as Error).message.replaceAll('env/', ''));
  }
}

/** `host:port,host:port` to a list. */
export const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
