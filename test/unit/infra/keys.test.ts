import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { refreshKeys, signingKey } from '../../../infra/local/keys.mjs';

const directory = mkdtempSync(join(tmpdir(), 'curfew-key-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('the signing key is made once, is an Ed25519 JWK, and only its owner reads the file', () => {
  const file = join(directory, 'new', 'key.json');
  const key = signingKey(file);
  expect(signingKey(file)).toBe(key);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const jwk = JSON.parse(key);
  expect(jwk).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' });
  expect(createPrivateKey({ key: jwk, format: 'jwk' }).asymmetricKeyType).toBe('ed25519');
});

test('the refresh key is made once, has 256 bits, and only its owner reads the file', () => {
  const file = join(directory, 'refresh-keys');
  const key = refreshKeys(file);
  expect(refreshKeys(file)).toBe(key);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(Buffer.from(key, 'base64url')).toHaveLength(32);
});
