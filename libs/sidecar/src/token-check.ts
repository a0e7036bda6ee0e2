import {
  ACCESS_TOKEN_ALGORITHMS,
  ACCESS_TOKEN_TYPE,
  type AccessTokenClaims,
  MAX_ACCESS_TOKEN_LENGTH,
  parseClaims,
} from '@curfew/contracts';
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Settings } from './options.ts';

/** Shortest time between two requests for the keys that a token with an unknown key can cause, ms. */
const KEY_COOLDOWN_MS = 5000;
const KEY_TIMEOUT_MS = 1000;

/** `not_ready`: the keys cannot be had now, so that the token cannot be judged. */
type CheckedToken =
  | { readonly ok: true; readonly claims: AccessTokenClaims }
  | { readonly ok: false; readonly code: 'session_invalid' | 'session_expired' | 'not_ready' };

export type TokenCheck = (token: string) => Promise<CheckedToken>;

const INVALID = { ok: false, code: 'session_invalid' } as const;
const EXPIRED = { ok: false, code: 'session_expired' } as const;
const NOT_READY = { ok: false, code: 'not_ready' } as const;

/**
 * The check of an access token (RFC 9068, section 4): signature by one of the issuer's keys and an allowed algorithm,
 * `typ`, `iss`, `aud`, and times within the skew. It never throws.
 *
 * @param getKey finds the key that a token's header names. Never one that comes with the token.
 */
export function createTokenCheck(
  { issuer, audience, maxClockSkewMs, now }: Pick<Settings, 'issuer' | 'audience' | 'maxClockSkewMs' | 'now'>,
  getKey: JWTVerifyGetKey,
): TokenCheck {
  return async (token) => {
    if (token.length > MAX_ACCESS_TOKEN_LENGTH) return INVALID;
    const at = now();
    try {
      const { payload } = await jwtVerify(token, getKey, {
        algorithms: [...ACCESS_TOKEN_ALGORITHMS],
        typ: ACCESS_TOKEN_TYPE,
        issuer,
        audience,
        // jose counts whole seconds; the exact check of the expiry is below.
        clockTolerance: Math.ceil(maxClockSkewMs / 1000),
        currentDate: new Date(at),
      });
      const claims = parseClaims(payload);
      if (!claims.ok) return INVALID;
      return at < claims.value.exp * 1000 + maxClockSkewMs ? { ok: true, claims: claims.value } : EXPIRED;
    } catch (error) {
      if (error instanceof errors.JWTExpired) return EXPIRED;
      return isUnjudged(error) ? NOT_READY : INVALID;
    }
  };
}

/** The keys did not come: jose says so by a timeout, by an error without a code of its own, or fetch by a TypeError. */
const isUnjudged = (error: unknown): boolean =>
  !(error instanceof errors.JOSEError) ||
  error instanceof errors.JWKSTimeout ||
  error instanceof errors.JWKSInvalid ||
  error.code === 'ERR_JOSE_GENERIC';

/**
 * The issuer's published keys. When they cannot be fetched anew, the ones known before go on; a token signed by none of
 * them may be signed by one published since, and stays unjudged.
 */
export function remoteKeys(jwksUrl: string): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(new URL(jwksUrl), {
    cooldownDuration: KEY_COOLDOWN_MS,
    timeoutDuration: KEY_TIMEOUT_MS,
  });
  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      const known = remote.jwks();
      if (!known || !isUnjudged(error)) throw error;
      return createLocalJWKSet(known)(header, token).catch(() => Promise.reject(error));
    }
  };
}
