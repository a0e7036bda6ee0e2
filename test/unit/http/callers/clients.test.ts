import { createHash, generateKeyPairSync } from 'node:crypto';
import { readClients } from '@curfew/http';
import { describe, expect, test } from 'vitest';

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');
const SECRET = 'the-secret-of-a-client-of-mine';
const login = { id: 'login', scopes: ['sessions:write'], secretSha256: sha256(SECRET) };

const ed25519 = generateKeyPairSync('ed25519');
const publicJwk = ed25519.publicKey.export({ format: 'jwk' });
const privateJwk = ed25519.privateKey.export({ format: 'jwk' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' });
const withKey = (key: object) => [{ id: 'gateway', scopes: ['sessions:read'], jwks: { keys: [key] } }];

describe('CURFEW_CLIENTS', () => {
  test('lists clients by id and by certificate, each with what it may do', () => {
    const certSha256 = sha256('certificate');
    const { byId, byCertificate } = readClients(
      JSON.stringify([login, { ...withKey(publicJwk)[0], certSha256, rateLimit: 5 }]),
    );
    expect([...byId.keys()]).toEqual(['login', 'gateway']);
    expect(byCertificate.get(certSha256)).toBe(byId.get('gateway'));
    expect(byId.get('gateway')).toMatchObject({ rateLimit: 5, scopes: new Set(['sessions:read']) });
  });

  test.each<[string, unknown, string]>([
    ['that is no JSON', `[{"id": "${SECRET}`, 'JSON'],
    ['that is empty', [], 'client'],
    ['with a scope that there is not', [{ ...login, scopes: ['sessions:all'] }], '/0/scopes'],
    ['with a client that may do nothing', [{ ...login, scopes: [] }], '/0/scopes'],
    ['with a plain secret', [{ ...login, secretSha256: SECRET }], '/0/secretSha256'],
    [
      'with a hash in hex',
      [{ ...login, secretSha256: createHash('sha256').update(SECRET).digest('hex') }],
      '/0/secretSha256 must be a SHA-256 in base64url',
    ],
    ['with a member that nobody knows', [{ ...login, secret: SECRET }], '/0'],
    ['with an id that does not fit', [{ ...login, id: 'log in' }], '/0/id'],
    ['with a client that has no credential', [{ ...login, secretSha256: undefined }], 'login no credential'],
    ['with two clients of one id', [login, login], 'two clients login'],
    [
      'with one certificate for two clients',
      ['a', 'b'].map((id) => ({ id, scopes: ['sessions:read'], certSha256: sha256('certificate') })),
      'the clients a and b the same certificate',
    ],
    ['with a private key', withKey(privateJwk), 'private or shared key at the client gateway'],
    ['with a shared key', withKey({ kty: 'oct', k: sha256(SECRET) }), 'private or shared key at the client gateway'],
    ['with a key of another curve', withKey(p384), 'the client gateway that verifies none'],
    [
      'with a key of another algorithm',
      withKey({ ...publicJwk, alg: 'ES256' }),
      'the client gateway that verifies none',
    ],
    ['with a key that is broken', withKey({ ...publicJwk, x: 'AAAA' }), 'cannot be used'],
  ])('%s is refused, and says why without a secret', (_, value, why) => {
    const read = () => readClients(typeof value === 'string' ? value : JSON.stringify(value));
    expect(read).toThrow(
      expect.objectContaining({ code: 'option_invalid', detail: expect.stringContaining(`CURFEW_CLIENTS`) }),
    );
    expect(read).toThrow(why);
    expect(read).not.toThrow(SECRET);
    expect(read).not.toThrow(String(privateJwk.d));
  });
});
