import { randomUUID } from 'node:crypto';
import { ACCESS_TOKEN_TYPE, type AccessTokenClaims, CurfewError, MAX_ACCESS_TOKEN_LENGTH } from '@curfew/contracts';
import { SignJWT } from 'jose';
import type { SessionRecord } from '../store/session-store.ts';
import type { SigningKey } from './signing-key.ts';

export interface AccessTokenOptions {
  readonly key: SigningKey;
  readonly issuer: string;
  readonly audience: string;
  /** Life of an access token, ms. It never outlives its session. */
  readonly accessTtlMs: number;
}

const seconds = (ms: number): number => Math.floor(ms / 1000);

/**
 * Signs an access token for a session (RFC 9068).
 *
 * @param now ms since the epoch.
 * @throws CurfewError `body_invalid` where the token would be longer than any sidecar takes.
 */
export async function signAccessToken(
  { key, issuer, audience, accessTtlMs }: AccessTokenOptions,
  session: SessionRecord,
  now: number,
): Promise<{ accessToken: string; expiresAt: number }> {
  const expiresAt = Math.min(now + accessTtlMs, session.expiresAt);
  const { sid, subject, tenant, roles, tier, acr, device, createdAt, s, t, r, at } = session;
  const claims: AccessTokenClaims = {
    iss: issuer,
    sub: subject,
    aud: audience,
    exp: seconds(expiresAt),
    iat: seconds(now),
    jti: randomUUID(),
    sid,
    ver: { s, t, r, at },
    roles,
    auth_time: seconds(createdAt),
    ...(tenant === undefined ? {} : { ten: tenant }),
    ...(tier === undefined ? {} : { tier }),
    ...(acr === undefined ? {} : { acr }),
    ...(device === undefined ? {} : { dev: device }),
  };
  const accessToken = await new SignJWT({ ...claims, aud: audience })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: ACCESS_TOKEN_TYPE })
    .sign(key.privateKey);
  if (accessToken.length > MAX_ACCESS_TOKEN_LENGTH)
    throw new CurfewError('body_invalid', 'the roles and ids of this session make a token that no service takes');
  return { accessToken, expiresAt: seconds(expiresAt) * 1000 };
}
