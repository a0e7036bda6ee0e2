import { ACCESS_TOKEN_TYPE, CurfewError } from '@curfew/contracts';
import type { FastifyRequest } from 'fastify';
import { decodeProtectedHeader } from 'jose';
import type { ClientAssertions } from './client-assertion.ts';
import { clientOfCertificate } from './client-certificate.ts';
import { clientOfSecret, MIN_SECRET_LENGTH } from './client-secret.ts';
import type { Client, Clients } from './clients.ts';

/** A user who calls with the access token of their own session. */
export interface User {
  readonly subject: string;
  readonly sid: string;
  /** When they last showed a credential, ms since the epoch. */
  readonly authenticatedAt: number;
}

/**
 * The user of an access token; undefined where it is none of this service's.
 *
 * @throws CurfewError where it is one, but of a session that has ended or must renew.
 */
export type VerifyAccessToken = (token: string) => Promise<User | undefined>;

export interface Identification {
  readonly clients: Clients;
  readonly assertions: ClientAssertions;
  readonly verifyAccessToken: VerifyAccessToken | undefined;
}

const AUTHORIZATION = /^(basic|bearer) +([^ ]+) *$/i;
const NO_SUCH_CLIENT = `no client has this id and this secret (a secret has at least ${MIN_SECRET_LENGTH} characters)`;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * Who makes this request: by its `Authorization` header, else by the certificate of its connection. Undefined where it
 * carries neither.
 *
 * @throws CurfewError `client_unauthenticated` where the credential is wrong.
 */
export async function callerOf(request: FastifyRequest, by: Identification): Promise<Client | User | undefined> {
  const { authorization } = request.headers;
  if (authorization === undefined) return clientOfCertificate(by.clients, request.raw.socket);
  const [, scheme = '', credential = ''] = AUTHORIZATION.exec(authorization) ?? [];
  if (scheme.toLowerCase() !== 'bearer') return known(clientOfSecret(by.clients, credential), NO_SUCH_CLIENT);
  if (!isAccessToken(credential)) return by.assertions.clientOf(credential);
  const { own } = request.routeOptions.config;
  if (own !== true) throw new CurfewError('client_unauthenticated', 'this route takes no access token');
  return known(await by.verifyAccessToken?.(credential), 'the access token is not valid');
}

/** The client of a form's `client_assertion` (RFC 7521, section 4.2); undefined where it has none. */
export async function callerOfForm(form: unknown, { assertions }: Identification): Promise<Client | undefined> {
  const { client_assertion: assertion, client_assertion_type: type } = (form ?? {}) as Record<string, unknown>;
  return type === ASSERTION_TYPE && typeof assertion === 'string' ? assertions.clientOf(assertion) : undefined;
}

function known<T>(caller: T | undefined, otherwise: string): T {
  if (caller === undefined) throw new CurfewError('client_unauthenticated', otherwise);
  return caller;
}

function isAccessToken(token: string): boolean {
  try {
    return decodeProtectedHeader(token).typ?.toLowerCase().replace('application/', '') === ACCESS_TOKEN_TYPE;
  } catch {
    return false;
  }
}
