import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, importJWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { call, inWords } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

type SigningKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

let services: Services;
let token: string;

beforeAll(async () => {
  services = await startServices(inject('stack'));
  const { body } = await call('POST', `${services.urls['session-service']}/v1/sessions`, {
    as: 'login',
    body: { subject: randomUUID(), roles: ['admin'] },
  });
  token = String(body['accessToken']);
});
afterAll(() => services?.stop());

const decoded = (part: 0 | 1) => JSON.parse(Buffer.from(token.split('.')[part] ?? '', 'base64url').toString());
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The good token once more, with some things otherwise, signed by the service's own key unless another is given. */
async function forged(claims: object, header: object = {}, key?: SigningKey): Promise<string> {
  const own = await importJWK(JSON.parse(services.signingKey), 'EdDSA');
  return new SignJWT({ ...decoded(1), ...claims })
    .setProtectedHeader({ ...decoded(0), ...header } as JWTHeaderParameters & { alg: string })
    .sign(key ?? own);
}

const answers = async (bearer: string) =>
  Promise.all(
    [`${services.urls.orders}/orders`, `${services.urls.payments}/payments`].map(async (url) => {
      const answer = await call('GET', url, { token: bearer });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
      return inWords(answer);
    }),
  );

describe('a token that is not good', () => {
  test('while the good one is accepted, and signed again with the same claims as well', async () => {
    for (const bearer of [token, await forged({ jti: 'again' })])
      expect(inWords(await call('GET', `${services.urls.payments}/payments`, { token: bearer }))).toBe('200');
  });

  const seconds = Math.floor(Date.now() / 1000);
  test.each<[string, () => Promise<string> | string, string]>([
    ['that is no JWT', () => 'garbage', 'session_invalid'],
    ['whose signature is cut', () => token.slice(0, -4), 'session_invalid'],
    [
      'whose claims were changed',
      () => token.replace(/\..*\./, `.${encoded({ ...decoded(1), sub: 'root' })}.`),
      'session_invalid',
    ],
    ['that is expired', () => forged({ iat: seconds - 700, exp: seconds - 60 }), 'session_expired'],
    ['that is unsigned', () => `${encoded({ alg: 'none', typ: 'at+jwt' })}.${token.split('.')[1]}.`, 'session_invalid'],
    ['for another audience', () => forged({ aud: 'someone-else' }), 'session_invalid'],
    ['of another issuer', () => forged({ iss: 'https://evil.example' }), 'session_invalid'],
    ['of another type', () => forged({}, { typ: 'JWT' }), 'session_invalid'],
    ['without versions', () => forged({ ver: undefined }), 'session_invalid'],
    ['of 9 KB', () => 'a'.repeat(9000), 'session_invalid'],
    [
      'signed by a foreign key under the right name',
      async () => forged({}, {}, (await generateKeyPair('EdDSA')).privateKey),
      'session_invalid',
    ],
    [
      'that brings its own key',
      async () => {
        const { privateKey, publicKey } = await generateKeyPair('EdDSA');
        return forged({}, { jwk: await exportJWK(publicKey), kid: 'mine' }, privateKey);
      },
      'session_invalid',
    ],
  ])('%s is rejected by both services', async (_name, make, code) => {
    expect(await answers(await make())).toEqual([`401 ${code}`, `401 ${code}`]);
  });

  test('of 100 KB is too large for a header, which both services say', async () => {
    for (const url of [`${services.urls.orders}/orders`, `${services.urls.payments}/payments`]) {
      const answer = await call('GET', url, { token: 'a'.repeat(100_000) });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(inWords(answer)).toBe('431 headers_too_large');
    }
  });

  test('an absent one is answered with the bare challenge, and an open route takes anybody', async () => {
    const absent = await call('GET', `${services.urls.payments}/payments`);
    expect(inWords(absent)).toBe('401 session_invalid');
    expect(absent.headers.get('www-authenticate')).toBe('Bearer');
    expect((await call('GET', `${services.urls.orders}/catalog`)).status).toBe(200);
  });

  test('an address that is not encoded is a problem at every service', async () => {
    for (const url of Object.values(services.urls)) {
      const answer = await call('GET', `${url}/v1/sessions/%zz`);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(inWords(answer)).toBe('400 request_invalid');
    }
  });

  test('a bad body at any route is a problem, and the service lives on', async () => {
    const { 'session-service': sessions, 'identity-publisher': identity } = services.urls;
    const routes = ['account-events', 'password-changed', 'account-disabled', 'account-enabled', 'roles-changed'];
    const urls = [
      ...routes.map((route) => ['identity', `${identity}/v1/${route}`] as const),
      ['login', `${sessions}/v1/sessions`] as const,
      ['login', `${sessions}/v1/sessions/refresh`] as const,
    ];
    for (const [as, url] of urls) {
      expect(inWords(await call('POST', url, { as, body: '{' })), url).toBe('400 body_invalid');
      expect((await call('POST', url, { as, body: {} })).status, url).toBe(400);
      expect((await call('POST', url, { as, body: [] })).status, url).toBe(400);
      expect(inWords(await call('POST', url, { as, body: { subject: 'x'.repeat(100_000) } })), url).toBe(
        '413 body_too_large',
      );
      const xml = { as, body: '<a/>', headers: { 'content-type': 'application/xml' } };
      expect(inWords(await call('POST', url, xml)), url).toBe('415 media_type_unsupported');
    }
    for (const url of Object.values(services.urls)) expect((await call('GET', `${url}/healthz`)).status).toBe(200);
  });
});
