import { generateKeyPairSync } from 'node:crypto';
import { createLocalJWKSet, type JWK, jwtVerify, SignJWT } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { RotatingKeys } from '../../../services/session-service/src/sessions/rotating-keys.ts';
import { readSigningKeys, type SigningKeys } from '../../../services/session-service/src/sessions/signing-keys.ts';

const ed25519 = (): JWK => generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JWK;
const p256 = (): JWK => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) as JWK;
const publicHalf = ({ d: _d, ...rest }: JWK): JWK => rest;
const setOf = (...keys: JWK[]): string => JSON.stringify({ keys });

const sign = ({ signer: { privateKey, alg, kid } }: SigningKeys) =>
  new SignJWT({}).setProtectedHeader({ alg, kid }).sign(privateKey);
const verify = async (token: string, { jwks }: SigningKeys) => jwtVerify(token, createLocalJWKSet(jwks));

describe('the signing keys', () => {
  test.each([
    ['EdDSA', ed25519],
    ['ES256', p256],
  ])('are published without their private halves: %s', async (alg, make) => {
    const { signer, jwks } = await readSigningKeys(JSON.stringify({ ...make(), kid: 'mine', key_ops: ['sign'] }));
    expect(jwks.keys).toEqual([expect.objectContaining({ alg, use: 'sig', kid: signer.kid })]);
    expect(Object.keys(jwks.keys[0] ?? {}).sort()).toEqual(
      alg === 'EdDSA' ? ['alg', 'crv', 'kid', 'kty', 'use', 'x'] : ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
    );
  });

  test('sign with the first of a set, and all of it verifies, of a public half too', async () => {
    const [old, next] = [ed25519(), p256()];
    const before = await readSigningKeys(JSON.stringify(old));
    const both = await readSigningKeys(setOf(next, publicHalf(old)));
    expect(both.jwks.keys.map(({ alg }) => alg)).toEqual(['ES256', 'EdDSA']);
    await verify(await sign(both), both);
    await verify(await sign(before), both);
    await expect(verify(await sign(both), before)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  test('go by their thumbprints: another key under an old name would be refused by whoever knows the old one', async () => {
    const kids = await Promise.all(
      [ed25519(), ed25519()].map(
        async (jwk) => (await readSigningKeys(JSON.stringify({ ...jwk, kid: 'k' }))).signer.kid,
      ),
    );
    expect(new Set(kids).size).toBe(2);
    expect(kids).not.toContain('k');
  });

  const twice = ed25519();
  const { x, y } = p256();
  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['no key', '{}'],
    ['an empty set', '{"keys":[]}'],
    ['a public half', JSON.stringify(publicHalf(ed25519()))],
    ['a public half first', setOf(publicHalf(ed25519()), ed25519())],
    ['a shared secret', '{"kty":"oct","k":"c2VjcmV0"}'],
    ['halves of two keys', JSON.stringify({ ...p256(), x, y })],
    ['a cut key', '{"kty":"OKP","crv":"Ed25519","x":"AAAA","d":"c2VjcmV0"}'],
    ['another curve', JSON.stringify(generateKeyPairSync('ed448').privateKey.export({ format: 'jwk' }))],
    ['one key twice', setOf(twice, publicHalf(twice))],
    ['a key behind the first that is none', setOf(ed25519(), { kty: 'oct', k: 'c2VjcmV0' })],
    ['null behind the first', `{"keys":[${JSON.stringify(ed25519())},null]}`],
  ])('are refused as %s, and never quoted', async (_name, text) => {
    const refusal = readSigningKeys(text);
    await expect(refusal).rejects.toMatchObject({ code: 'option_invalid' });
    await expect(refusal).rejects.not.toThrow('c2VjcmV0');
  });
});

describe('keys that rotate', () => {
  const [old, next] = [ed25519(), ed25519()];

  async function rotating() {
    let text = JSON.stringify(old);
    const onChange = vi.fn();
    const onError = vi.fn();
    const read = vi.fn(async () => text);
    const keys = await RotatingKeys.open({ read, variable: 'CURFEW_SIGNING_KEY_FILE', onChange, onError });
    const write = (written: string) => {
      text = written;
      return keys.look();
    };
    return { keys, write, read, onChange, onError };
  }

  test('are published before they sign, and verify until they are taken away', async () => {
    const { keys, write, onChange, onError } = await rotating();
    const first = await sign(keys);
    await write(setOf(old, next));
    await verify(first, keys);
    await verify(await sign(await readSigningKeys(JSON.stringify(next))), keys);
    await write(setOf(next, publicHalf(old)));
    expect(keys.signer.kid).toBe((await readSigningKeys(JSON.stringify(next))).signer.kid);
    await verify(first, keys);
    await write(setOf(next));
    await expect(verify(first, keys)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    expect(onChange.mock.calls.map(([, early]) => early)).toEqual([false, false, false]);
    expect(onError).not.toHaveBeenCalled();
  });

  test('say so where the key that signs was not published before', async () => {
    const { write, onChange } = await rotating();
    await write(setOf(next, old));
    expect(onChange).toHaveBeenCalledExactlyOnceWith(expect.anything(), true);
  });

  test('stay as they are while what is written cannot be read, which is said once', async () => {
    const { keys, write, read, onChange, onError } = await rotating();
    const { kid } = keys.signer;
    for (let i = 0; i < 3; i++) await write('{"keys":[');
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'option_invalid' }));
    read.mockRejectedValue(new Error('ENOENT'));
    for (let i = 0; i < 3; i++) await keys.look();
    expect(onError).toHaveBeenCalledTimes(2);
    expect([keys.signer.kid, keys.jwks.keys.length, onChange.mock.calls.length]).toEqual([kid, 1, 0]);
    read.mockReset().mockImplementation(async () => setOf(old, next));
    await keys.look();
    expect(keys.jwks.keys).toHaveLength(2);
  });

  test('are looked at while the service runs, until it closes', async () => {
    vi.useFakeTimers();
    try {
      const { keys, read } = await rotating();
      keys.start();
      await vi.advanceTimersByTimeAsync(3000);
      expect(read).toHaveBeenCalledTimes(4);
      keys.close();
      keys.close();
      await vi.advanceTimersByTimeAsync(3000);
      expect(read).toHaveBeenCalledTimes(4);
    } finally {
      vi.useRealTimers();
    }
  });
});
