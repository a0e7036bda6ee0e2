import { ACCESS_TOKEN_TYPE } from '@curfew/contracts';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTVerifyGetKey, SignJWT } from 'jose';

export const ISSUER = 'https://issuer.test';
export const AUDIENCE = 'shop';

/** The time at which the tests play, ms since the epoch; a whole second. */
export const NOW = 1_700_000_000_000;
const NOW_S = NOW / 1000;

export const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'alice',
  jti: 'token-1',
  sid: 'laptop',
  iat: NOW_S,
  exp: NOW_S + 600,
  roles: ['admin'],
  ver: { s: 10, t: 0, r: 10, at: NOW },
};

/** An issuer with one key: what signs, and what the sidecar knows of it. */
export async function createIssuer(alg: 'EdDSA' | 'ES256' | 'RS256' = 'EdDSA', kid = 'key-1') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), alg, kid };
  return {
    jwk,
    keys: createLocalJWKSet({ keys: [jwk] }) as JWTVerifyGetKey,
    sign: (claims: object = {}, header: object = {}) =>
      new SignJWT({ ...CLAIMS, ...claims })
        .setProtectedHeader({ alg, kid, typ: ACCESS_TOKEN_TYPE, ...header })
        .sign(privateKey),
  };
}
