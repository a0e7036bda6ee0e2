import { readFileSync } from 'node:fs';
import type { ServerOptions as TlsOptions } from 'node:https';
import { CurfewError } from '@curfew/contracts';
import proxyAddr from '@fastify/proxy-addr';
import { type Static, Type } from 'typebox';
import { listOf } from '../config.ts';
import { readClients } from './clients.ts';
import type { CallersOptions } from './plugin.ts';

/** Who may call a service, and how they reach it. */
export interface Access extends CallersOptions {
  /** Addresses and networks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** To listen with TLS; undefined: without. */
  readonly tls: TlsOptions | undefined;
}

const RateLimit = Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1000 });
const File = Type.Optional(Type.String({ minLength: 1 }));

/** The environment variables of a service that knows its callers. */
export const ACCESS_ENV = {
  CURFEW_CLIENTS: Type.String({ minLength: 1 }),
  CURFEW_ASSERTION_AUDIENCE: Type.Optional(Type.String({ minLength: 1 })),
  CURFEW_CLIENT_RATE_LIMIT: RateLimit,
  CURFEW_ADDRESS_RATE_LIMIT: RateLimit,
  CURFEW_TRUSTED_PROXIES: Type.String({ default: '' }),
  CURFEW_TLS_CERT_FILE: File,
  CURFEW_TLS_KEY_FILE: File,
  CURFEW_TLS_CLIENT_CA_FILE: File,
};

const Environment = Type.Object(ACCESS_ENV);

/**
 * Reads those variables.
 *
 * @param audience what the `aud` of a client assertion must be, unless the environment says it.
 * @throws CurfewError `option_invalid`, naming the variable.
 */
export function readAccess(env: Static<typeof Environment>, audience: string): Access {
  return {
    clients: readClients(env.CURFEW_CLIENTS),
    audience: env.CURFEW_ASSERTION_AUDIENCE ?? audience,
    limits: { client: env.CURFEW_CLIENT_RATE_LIMIT, address: env.CURFEW_ADDRESS_RATE_LIMIT },
    trustedProxies: readProxies(env.CURFEW_TRUSTED_PROXIES),
    tls: readTls(env),
  };
}

function readProxies(text: string): string[] {
  const proxies = listOf(text);
  try {
    // As Fastify does, which would say nothing of the variable.
    proxyAddr.compile(proxies);
  } catch (error) {
    throw new CurfewError('option_invalid', `CURFEW_TRUSTED_PROXIES has an ${(error as Error).message}`);
  }
  return proxies;
}

/** The service listens with TLS where it has a certificate, and asks for that of its callers where it has their authority's. */
function readTls(env: Static<typeof Environment>): Access['tls'] {
  const cert = read(env, 'CURFEW_TLS_CERT_FILE');
  const key = read(env, 'CURFEW_TLS_KEY_FILE');
  const ca = read(env, 'CURFEW_TLS_CLIENT_CA_FILE');
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new CurfewError('option_invalid', 'TLS needs both CURFEW_TLS_CERT_FILE and CURFEW_TLS_KEY_FILE');
  // Not every caller has a certificate: users, and whoever asks for the keys, have none.
  return { cert, key, ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: false }) };
}

function read(env: Static<typeof Environment>, name: `CURFEW_TLS_${'CERT' | 'KEY' | 'CLIENT_CA'}_FILE`) {
  const file = env[name];
  try {
    return file === undefined ? undefined : readFileSync(file);
  } catch (error) {
    throw new CurfewError('option_invalid', `${name} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
