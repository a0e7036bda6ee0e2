import { createLocalJWKSet, exportJWK, generateKeyPair, type JWK } from 'jose';
import { createTokenCheck } from '../../../libs/sidecar/src/token-check.ts';
import { signAccessToken } from '../../../services/session-service/src/sessions/access-token.ts';
import { readSigningKeys } from '../../../services/session-service/src/sessions/signing-keys.ts';
import { sessionRecord } from '../../support/session-records.ts';

const ISSUER = 'https://issuer.example';
const AUDIENCE = 'shop';

/** Tokens of as many sessions, as the session service signs them, and the sidecar's check of them. */
export async function signedTokens(count: number) {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const keys = await readSigningKeys(JSON.stringify(await exportJWK(privateKey)));
  const now = Date.now();
  const options = { keys, issuer: ISSUER, audience: AUDIENCE, accessTtlMs: 600_000 };
  const tokens: string[] = [];
  for (let i = 0; i < count; i++) {
    const session = sessionRecord({ sid: `sid-${i}`, subject: `subject-${i}`, roles: ['admin'] });
    const signed = await signAccessToken(options, { ...session, s: now, t: 0, r: 0, at: now }, now);
    tokens.push(signed.accessToken);
  }
  const getKey = createLocalJWKSet({ keys: keys.jwks.keys as JWK[] });
  const settings = { issuer: ISSUER, audience: AUDIENCE, maxClockSkewMs: 250, now: Date.now };
  return { tokens, checkToken: createTokenCheck(settings, getKey) };
}
