import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto';
import { type ACCESS_TOKEN_ALGORITHMS, CurfewError } from '@curfew/contracts';
import { calculateJwkThumbprint, createLocalJWKSet, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose';

/** The key that signs access tokens. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly alg: (typeof ACCESS_TOKEN_ALGORITHMS)[number];
  readonly kid: string;
}

/** What signs access tokens now, and what verifies them. Where keys rotate, both change while the service runs. */
export interface SigningKeys {
  readonly signer: SigningKey;
  /** Public halves, as `/.well-known/jwks.json` serves them (RFC 7517). */
  readonly jwks: JSONWebKeySet;
  /** Finds the key of a token among them. */
  readonly getKey: JWTVerifyGetKey;
}

/**
 * Reads a private JWK, or a JWK Set of which the first signs and all are published: Ed25519 (RFC 8037) for EdDSA, or
 * P-256 for ES256. Keys behind the first may be public halves. A key's `kid` is its thumbprint (RFC 7638) whatever it
 * says itself, so that no two keys ever go by the same name: a service that knows one would refuse the other's tokens.
 *
 * @param text JSON.
 * @param variable where it comes from, for the error.
 * @throws CurfewError `option_invalid`; no key is ever quoted.
 */
export async function readSigningKeys(text: string, variable = 'CURFEW_SIGNING_KEY'): Promise<SigningKeys> {
  const [first, ...others] = parse(text);
  const privateKey = keyOf(first, createPrivateKey);
  const alg = privateKey && algorithmOf(privateKey);
  if (!privateKey || !alg || !signsWhatItVerifies(privateKey))
    throw new CurfewError('option_invalid', `${variable}: the first key is not a private JWK of Ed25519 or P-256`);
  const publicKeys = [createPublicKey(privateKey), ...others.map((jwk) => keyOf(jwk, createPublicKey))];
  const keys = await Promise.all(publicKeys.map(published));
  const [signer] = keys;
  if (!signer || !keys.every((jwk) => jwk !== undefined) || new Set(keys.map(({ kid }) => kid)).size < keys.length)
    throw new CurfewError(
      'option_invalid',
      `${variable}: a key is not a JWK of Ed25519 or P-256, or stands there twice`,
    );
  return { signer: { privateKey, alg, kid: signer.kid }, jwks: { keys }, getKey: createLocalJWKSet({ keys }) };
}

function parse(text: string): readonly unknown[] {
  try {
    const value: { keys?: unknown } = JSON.parse(text);
    return Array.isArray(value.keys) ? value.keys : [value];
  } catch {
    return [];
  }
}

function keyOf(jwk: unknown, create: typeof createPrivateKey | typeof createPublicKey): KeyObject | undefined {
  try {
    return create({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
}

function algorithmOf(key: KeyObject): SigningKey['alg'] | undefined {
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'ES256' : undefined;
}

/** OpenSSL takes an EC key whose two halves do not belong together. */
function signsWhatItVerifies(privateKey: KeyObject): boolean {
  const digest = privateKey.asymmetricKeyType === 'ec' ? 'sha256' : null;
  const probe = Buffer.from('probe');
  return verify(digest, probe, createPublicKey(privateKey), sign(digest, probe, privateKey));
}

async function published(key: KeyObject | undefined): Promise<(JWK & { kid: string }) | undefined> {
  const alg = key && algorithmOf(key);
  if (!alg) return undefined;
  const jwk = key.export({ format: 'jwk' }) as JWK;
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' };
}
