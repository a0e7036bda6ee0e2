import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, test } from 'vitest';
import { readSigningKey } from '../../../services/session-service/src/sessions/signing-key.ts';

describe('the signing key', () => {
  test('is served without its private half', async () => {
    const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    const key = await readSigningKey(JSON.stringify(await exportJWK(privateKey)));
    expect(JSON.stringify(key.jwks)).not.toContain('"d"');
    expect(key.jwks.keys[0]).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', kid: key.kid, use: 'sig' });
  });

  test.each([
    '',
    '{}',
    'null',
    '{"kty":"OKP","crv":"Ed25519","x":"AAAA"}',
    '{"kty":"oct","k":"c2VjcmV0"}',
    '{"kty":"OKP","crv":"Ed25519","x":"AAAA","d":"AAAA"}',
  ])('is refused as %j, and never quoted', async (text) => {
    const refusal = readSigningKey(text);
    await expect(refusal).rejects.toMatchObject({ code: 'option_invalid' });
    await expect(refusal).rejects.not.toThrow('c2VjcmV0');
  });
});
