import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { CurfewError } from './errors.ts';

/** Certificates and key in PEM, as `node:tls` takes them. Empty: the server's certificate is of a public authority. */
export interface Tls {
  readonly ca?: string;
  /** This client's own, where the server asks for one (mTLS). */
  readonly cert?: string;
  readonly key?: string;
}

const SASL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

export interface Sasl {
  readonly mechanism: (typeof SASL_MECHANISMS)[number];
  readonly username: string;
  readonly password: string;
}

/** How the brokers are reached. Default: without TLS, as nobody in particular. */
export interface KafkaSecurity {
  readonly tls?: Tls;
  readonly sasl?: Sasl;
}

/** Where the brokers are, `host:port` of some to begin with, and how they are reached. */
export interface KafkaConnection extends KafkaSecurity {
  readonly brokers: readonly string[];
}

/** What a URL of Redis cannot say. */
export interface RedisSecurity {
  /** For `rediss://`. Default: the public authorities. */
  readonly tls?: Tls;
  /** Of the user that the URL names. Default: the one in the URL. */
  readonly password?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables, as a command's help tells them. */
export const SECURITY_VARIABLES = [
  ['CURFEW_KAFKA_TLS', 'true: TLS, trusting the public authorities; a file below means it as well'],
  ['CURFEW_KAFKA_TLS_CA_FILE', "PEM of the authority of the brokers' certificates"],
  ['CURFEW_KAFKA_TLS_CERT_FILE', 'PEM of a certificate to show them, with CURFEW_KAFKA_TLS_KEY_FILE'],
  ['CURFEW_KAFKA_SASL_MECHANISM', SASL_MECHANISMS.join(', ')],
  ['CURFEW_KAFKA_SASL_USERNAME', 'with CURFEW_KAFKA_SASL_PASSWORD_FILE, or CURFEW_KAFKA_SASL_PASSWORD'],
  ['CURFEW_REDIS_PASSWORD_FILE', 'the password of the user in CURFEW_REDIS_URL'],
  ['CURFEW_REDIS_TLS_CA_FILE', "PEM of the authority of Redis' certificate, for rediss://"],
  ['CURFEW_REDIS_TLS_CERT_FILE', 'PEM of a certificate to show it, with CURFEW_REDIS_TLS_KEY_FILE'],
] as const;

/**
 * Reads how Kafka is reached from `CURFEW_KAFKA_TLS`, `CURFEW_KAFKA_TLS_*_FILE` and `CURFEW_KAFKA_SASL_*`. An empty
 * variable is none; a newline at the end of a password's file is not of the password.
 *
 * @throws CurfewError `option_invalid`, naming the variable and never its value.
 */
export function readKafkaSecurity(env: Environment): KafkaSecurity {
  const files = tlsOf(env, 'CURFEW_KAFKA_TLS');
  const wanted = env['CURFEW_KAFKA_TLS'] || undefined;
  if (wanted !== undefined && wanted !== 'true' && wanted !== 'false')
    throw invalid('CURFEW_KAFKA_TLS is not true or false');
  if (wanted === 'false' && files) throw invalid('CURFEW_KAFKA_TLS is false, and there is a CURFEW_KAFKA_TLS_…_FILE');
  const tls = files ?? (wanted === 'true' ? {} : undefined);
  const sasl = saslOf(env);
  if (sasl?.mechanism === 'PLAIN' && !tls)
    throw invalid('CURFEW_KAFKA_SASL_MECHANISM is PLAIN, which shows the password to all: it needs CURFEW_KAFKA_TLS');
  return { ...(tls && { tls }), ...(sasl && { sasl }) };
}

/**
 * Reads what `CURFEW_REDIS_URL` does not say of how Redis is reached from `CURFEW_REDIS_PASSWORD_FILE` and
 * `CURFEW_REDIS_TLS_*_FILE`, in the same way.
 *
 * @throws CurfewError `option_invalid`, naming the variable and never its value.
 */
export function readRedisSecurity(env: Environment): RedisSecurity {
  const [url = ''] = (env['CURFEW_REDIS_URL'] ?? '').split(',');
  const tls = tlsOf(env, 'CURFEW_REDIS_TLS');
  if (tls && !url.startsWith('rediss:')) throw invalid('CURFEW_REDIS_TLS_…_FILE needs a rediss:// CURFEW_REDIS_URL');
  const password = secretIn(env, 'CURFEW_REDIS_PASSWORD_FILE');
  if (password !== undefined && URL.parse(url)?.password)
    throw invalid('CURFEW_REDIS_URL has a password, and there is a CURFEW_REDIS_PASSWORD_FILE');
  return { ...(tls && { tls }), ...(password !== undefined && { password }) };
}

/** Mechanisms beside those of `SASL_MECHANISMS` that the clients know; they check what those need. */
const OTHER_MECHANISMS: readonly string[] = ['OAUTHBEARER', 'GSSAPI', 'AWS'];

/**
 * Checks what a caller gives as options, before a connection is tried.
 *
 * @throws CurfewError `option_invalid`, naming the option and never its value.
 */
export function checkSecurity({
  tls,
  sasl,
}: {
  readonly tls?: SecureContextOptions;
  readonly sasl?: object | undefined;
}): void {
  try {
    if (tls !== undefined) createSecureContext(tls);
  } catch (error) {
    throw invalid(`tls cannot be used: ${(error as NodeJS.ErrnoException).code}`);
  }
  if (sasl === undefined) return;
  const { mechanism, username, password } = sasl as { [M in keyof Sasl]?: unknown };
  const name = String(mechanism).toUpperCase();
  if (OTHER_MECHANISMS.includes(name) || 'authenticationProvider' in sasl || 'authenticate' in sasl) return;
  if (!SASL_MECHANISMS.some((one) => one === name))
    throw invalid(`sasl.mechanism is not one of ${[...SASL_MECHANISMS, ...OTHER_MECHANISMS].join(', ')}`);
  for (const [option, value] of Object.entries({ username, password }))
    if (typeof value !== 'function' && (typeof value !== 'string' || value === ''))
      throw invalid(`sasl.${option} is not a text`);
}

function saslOf(env: Environment): Sasl | undefined {
  const username = env['CURFEW_KAFKA_SASL_USERNAME'] || undefined;
  const given = env['CURFEW_KAFKA_SASL_PASSWORD'] || undefined;
  const inFile = secretIn(env, 'CURFEW_KAFKA_SASL_PASSWORD_FILE');
  if (given !== undefined && inFile !== undefined)
    throw invalid('CURFEW_KAFKA_SASL_PASSWORD and CURFEW_KAFKA_SASL_PASSWORD_FILE: one of them is enough');
  const password = given ?? inFile;
  const named = env['CURFEW_KAFKA_SASL_MECHANISM'] || undefined;
  if (named === undefined && username === undefined && password === undefined) return undefined;
  const mechanism = SASL_MECHANISMS.find((one) => one === named);
  if (mechanism === undefined) throw invalid(`CURFEW_KAFKA_SASL_MECHANISM is not one of ${SASL_MECHANISMS.join(', ')}`);
  if (username === undefined) throw invalid('CURFEW_KAFKA_SASL_MECHANISM needs CURFEW_KAFKA_SASL_USERNAME');
  if (password === undefined) throw invalid('CURFEW_KAFKA_SASL_MECHANISM needs CURFEW_KAFKA_SASL_PASSWORD_FILE');
  return { mechanism, username, password };
}

function tlsOf(env: Environment, prefix: string): Tls | undefined {
  const ca = fileOf(env, `${prefix}_CA_FILE`);
  const cert = fileOf(env, `${prefix}_CERT_FILE`);
  const key = fileOf(env, `${prefix}_KEY_FILE`);
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  if ((cert === undefined) !== (key === undefined))
    throw invalid(`${prefix}_CERT_FILE and ${prefix}_KEY_FILE go together: one is missing`);
  if (ca !== undefined) certificateIn(ca, `${prefix}_CA_FILE`);
  if (cert === undefined || key === undefined) return { ...(ca !== undefined && { ca }) };
  const { validTo } = certificateIn(cert, `${prefix}_CERT_FILE`);
  // The server would say no more than that it does not take it.
  if (Date.parse(validTo) < Date.now()) throw invalid(`${prefix}_CERT_FILE has expired: ${validTo}`);
  try {
    createSecureContext({ cert, key });
  } catch {
    throw invalid(`${prefix}_KEY_FILE is not the key in PEM of the certificate in ${prefix}_CERT_FILE`);
  }
  return { ...(ca !== undefined && { ca }), cert, key };
}

function certificateIn(pem: string, name: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalid(`${name} holds no certificate in PEM`);
  }
}

function secretIn(env: Environment, name: string): string | undefined {
  const text = fileOf(env, name)?.replace(/\r?\n$/, '');
  if (text === '') throw invalid(`${name} is empty`);
  return text;
}

function fileOf(env: Environment, name: string): string | undefined {
  const file = env[name] || undefined;
  try {
    return file === undefined ? undefined : readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`${name} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

const invalid = (detail: string): CurfewError => new CurfewError('option_invalid', detail);
