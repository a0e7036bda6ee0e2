import { randomUUID } from 'node:crypto';
import { ACCESS_TOKEN_TYPE, type AccessTokenClaims, claimsOfRecord, type SessionRecord } from '@curfew/contracts';
import { SignJWT } from 'jose';
import type { SigningKeys } from './signing-keys.ts';

export interface AccessTokenOptions {
  readonly keys: Pick<SigningKeys, 'signer'>;
  readonly issuer: string;
  readonly audience: string;
  /** Life of an access token, ms. It never outlives its session. */
  readonly accessTtlMs: number;
}

/** Whoever renews when a token expires must come before the session has been unused for too long, ms. */
const RENEWAL_MARGIN_MS = 60_000;

const seconds = (ms: number): number => Math.floor(ms / 1000);

/**
 * Signs an access token for a session (RFC 9068).
 *
 * @param now ms since the epoch.
 */
export async function signAccessToken(
  { keys, issuer, audience, accessTtlMs }: AccessTokenOptions,
  session: SessionRecord,
  now: number,
): Promise<{ accessToken: string; expiresAt: number }> {
  const expiresAt = Math.min(now + accessTtlMs, now + session.idleMs - RENEWAL_MARGIN_MS, session.expiresAt);
  const claims: AccessTokenClaims = {
    iss: issuer,
    aud: audience,
    exp: seconds(expiresAt),
    iat: seconds(now),
    jti: randomUUID(),
    ...claimsOfRecord(session),
  };
  const { privateKey, alg, kid } = keys.signer;
  const accessToken = await new SignJWT({ ...claims, aud: audience })
    .setProtectedHeader({ alg, kid, typ: ACCESS_TOKEN_TYPE })
    .sign(privateKey);
  return { accessToken, expiresAt: seconds(expiresAt) * 1000 };
}
