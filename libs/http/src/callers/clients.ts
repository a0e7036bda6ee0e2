import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { CurfewError } from '@curfew/contracts';
import { createLocalJWKSet, type JWK, type JWTVerifyGetKey } from 'jose';
import { type Static, Type } from 'typebox';
import { Check, Errors } from 'typebox/value';

/** What a client may be allowed to do. */
const SCOPES = ['sessions:read', 'sessions:write', 'revocations:write', 'events:write'] as const;
export type Scope = (typeof SCOPES)[number];

/** The algorithms of a client assertion, by the kind of key: none that is shared, none with PKCS #1 v1.5 padding. */
export const ASSERTION_ALGORITHMS = ['EdDSA', 'ES256', 'PS256'] as const;

/** A program that may call the service. */
export interface Client {
  readonly id: string;
  readonly scopes: ReadonlySet<string>;
  /** Requests per second; undefined: as the service allows by default. */
  readonly rateLimit: number | undefined;
  /** SHA-256 of its secret. */
  readonly secretHash: Buffer | undefined;
  /** Finds the key of an assertion. */
  readonly keyOf: JWTVerifyGetKey | undefined;
}

/** The clients that a service knows. */
export interface Clients {
  readonly byId: ReadonlyMap<string, Client>;
  /** By the SHA-256 of their certificate, base64url (`x5t#S256`, RFC 8705). */
  readonly byCertificate: ReadonlyMap<string, Client>;
}

const Sha256 = Type.String({ pattern: '^[\\w-]{43}$' });

export const ClientEntry = Type.Object(
  {
    id: Type.String({ pattern: '^[\\w.-]{1,64}$' }),
    scopes: Type.Array(Type.Enum([...SCOPES]), { minItems: 1 }),
    rateLimit: Type.Optional(Type.Integer({ minimum: 1 })),
    secretSha256: Type.Optional(Sha256),
    jwks: Type.Optional(
      Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.Unknown()), { minItems: 1, maxItems: 16 }) }),
    ),
    certSha256: Type.Optional(Sha256),
  },
  { additionalProperties: false },
);
const ClientEntries = Type.Array(ClientEntry, { minItems: 1 });

/** Members of a JWK that are not public (RFC 7518, section 6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * Reads `CURFEW_CLIENTS`, a JSON list of `{"id", "scopes", "rateLimit"?}` with one or more of `"secretSha256"` (base64url
 * SHA-256 of a secret of at least 128 bits), `"jwks"` (public keys that verify its assertions, RFC 7523) and
 * `"certSha256"` (base64url SHA-256 of its certificate, RFC 8705).
 *
 * @throws CurfewError `option_invalid`, saying which client is wrong and why; nothing of the value is quoted but ids.
 */
export function readClients(json: string): Clients {
  const byId = new Map<string, Client>();
  const byCertificate = new Map<string, Client>();
  for (const { id, scopes, rateLimit, secretSha256, jwks, certSha256 } of entriesOf(json)) {
    if (byId.has(id)) throw invalid(`has two clients ${id}`);
    if (secretSha256 === undefined && jwks === undefined && certSha256 === undefined)
      throw invalid(`gives the client ${id} no credential: secretSha256, jwks or certSha256`);
    const client = {
      id,
      scopes: new Set(scopes),
      rateLimit,
      secretHash: secretSha256 === undefined ? undefined : Buffer.from(secretSha256, 'base64url'),
      keyOf: jwks && createLocalJWKSet({ keys: jwks.keys.map((key) => publicKey(key, id)) }),
    };
    byId.set(id, client);
    if (certSha256 === undefined) continue;
    const other = byCertificate.get(certSha256);
    if (other) throw invalid(`gives the clients ${other.id} and ${id} the same certificate`);
    byCertificate.set(certSha256, client);
  }
  return { byId, byCertificate };
}

function entriesOf(json: string): Static<typeof ClientEntries> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw invalid('is not JSON');
  }
  if (Check(ClientEntries, value)) return value;
  const [error] = Errors(ClientEntries, value);
  const { instancePath = '', message } = error ?? {};
  const why = instancePath.endsWith('Sha256') ? 'must be a SHA-256 in base64url, 43 characters' : message;
  throw invalid(`is not a list of clients: ${instancePath || 'it'} ${why}`);
}

/** The key with the one algorithm that it verifies. */
function publicKey(jwk: JWK, id: string): JWK {
  if (PRIVATE_MEMBERS.some((member) => member in jwk)) throw invalid(`has a private or shared key at the client ${id}`);
  const alg = algorithmOf(jwk);
  if (alg === undefined || (jwk.alg !== undefined && jwk.alg !== alg))
    throw invalid(`has a key at the client ${id} that verifies none of ${ASSERTION_ALGORITHMS.join(', ')}`);
  try {
    createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    throw invalid(`has a key at the client ${id} that cannot be used`);
  }
  return { ...jwk, alg };
}

function algorithmOf({ kty, crv }: JWK): (typeof ASSERTION_ALGORITHMS)[number] | undefined {
  if (kty === 'RSA') return 'PS256';
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA';
  return kty === 'EC' && crv === 'P-256' ? 'ES256' : undefined;
}

const invalid = (what: string) => new CurfewError('option_invalid', `CURFEW_CLIENTS ${what}`);
