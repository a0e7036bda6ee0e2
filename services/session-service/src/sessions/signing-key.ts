import { type ACCESS_TOKEN_ALGORITHMS, CurfewError } from '@curfew/contracts';
import { type CryptoKey, calculateJwkThumbprint, importJWK, type JSONWebKeySet, type JWK } from 'jose';

/** The key that signs access tokens, and what verifies them. */
export interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly alg: (typeof ACCESS_TOKEN_ALGORITHMS)[number];
  readonly kid: string;
  /** The public half, as `/.well-known/jwks.json` serves it (RFC 7517). */
  readonly jwks: JSONWebKeySet;
}

/** Members of a JWK that are not public (RFC 7518, section 6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * Reads a private JWK: Ed25519 (RFC 8037) for EdDSA, or P-256 for ES256. Its `kid` is its thumbprint (RFC 7638) unless
 * it has one.
 *
 * @param text the JWK as JSON.
 * @throws CurfewError `option_invalid`; the key itself is never quoted.
 */
export async function readSigningKey(text: string): Promise<SigningKey> {
  const jwk = parse(text);
  const alg = jwk.crv === 'Ed25519' ? 'EdDSA' : jwk.crv === 'P-256' ? 'ES256' : undefined;
  if (alg === undefined || jwk.d === undefined)
    throw new CurfewError('option_invalid', 'CURFEW_SIGNING_KEY is not a private JWK of Ed25519 or P-256');
  try {
    const privateKey = (await importJWK(jwk, alg)) as CryptoKey;
    const kid = jwk.kid ?? (await calculateJwkThumbprint(jwk));
    const members = Object.entries(jwk).filter(([name]) => !PRIVATE_MEMBERS.includes(name) && name !== 'key_ops');
    const publicJwk = { ...Object.fromEntries(members), kid, alg, use: 'sig' } as JWK;
    return { privateKey, alg, kid, jwks: { keys: [publicJwk] } };
  } catch {
    throw new CurfewError('option_invalid', 'CURFEW_SIGNING_KEY is a JWK whose key cannot be used');
  }
}

function parse(text: string): JWK {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
