import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LOCAL } from './paths.mjs';

/**
 * The key that signs the local stack's access tokens.
 *
 * @param {string} [file]
 * @returns {string} a private Ed25519 JWK as JSON (RFC 8037), as `CURFEW_SIGNING_KEY` takes it
 */
export function signingKey(file = `${LOCAL}/signing-key.json`) {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return kept(file, JSON.stringify({ ...jwk, alg: 'EdDSA', use: 'sig' }));
}

/**
 * The key that authenticates the local stack's refresh tokens.
 *
 * @param {string} [file]
 * @returns {string} 256 bits in base64url, as `CURFEW_REFRESH_KEYS` takes one or more of them
 */
export const refreshKeys = (file = `${LOCAL}/refresh-keys`) => kept(file, randomBytes(32).toString('base64url'));

/**
 * The secret in this file, or this one, kept there from now on: made once, so that a restart does not end every
 * session, and read by the file's owner alone.
 *
 * @param {string} file @param {string} secret
 */
function kept(file, secret) {
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(file, `${secret}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}
