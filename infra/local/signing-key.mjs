import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LOCAL } from './paths.mjs';

/**
 * The key that signs the local stack's access tokens: made once, kept in a file that only its owner reads, so that a
 * restart does not end every session.
 *
 * @param {string} [file]
 * @returns {string} a private Ed25519 JWK as JSON (RFC 8037), as `CURFEW_SIGNING_KEY` takes it
 */
export function signingKey(file = `${LOCAL}/signing-key.json`) {
  mkdirSync(dirname(file), { recursive: true });
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  try {
    writeFileSync(file, `${JSON.stringify({ ...jwk, alg: 'EdDSA', use: 'sig' })}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}
