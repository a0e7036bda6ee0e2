import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, importJWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { call, inWords } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

type SigningKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

let services: Services;
let token: string;
let refreshToken: string;
/** Of another session. */
let otherToken: string;
/** A session cookie's value, and the handle of its session. */
let cookie: string;
let sid: string;

async function signIn(mode = 'bearer') {
  const { body } = await call('POST', `${services.urls['session-service']}/v1/sessions`, {
    as: 'login',
    body: { subject: randomUUID(), roles: ['admin'], mode },
  });
  return body;
}

beforeAll(async () => {
  services = await startServices(inject('stack'));
  const [mine, other, inCookie] = await Promise.all([signIn(), signIn(), signIn('cookie')]);
  token = String(mine['accessToken']);
  refreshToken = String(mine['refreshToken']);
  otherToken = String(other['accessToken']);
  cookie = String(inCookie['cookie']);
  sid = String(inCookie['sid']);
});
afterAll(() => services?.stop());

const decoded = (part: 0 | 1) => JSON.parse(Buffer.from(token.split('.')[part] ?? '', 'base64url').toString());
/** A token of the header, the claims and the signature of three. */
const swapped = (...tokens: [string, string, string]) => tokens.map((one, part) => one.split('.')[part]).join('.');
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The good token once more, with some things otherwise, signed by the service's own key unless another is given. */
async function forged(claims: object, header: object = {}, key?: SigningKey): Promise<string> {
  const own = await importJWK(JSON.parse(services.signingKey), 'EdDSA');
  return new SignJWT({ ...decoded(1), ...claims })
    .setProtectedHeader({ ...decoded(0), ...header } as JWTHeaderParameters & { alg: string })
    .sign(key ?? own);
}

const renewal = async (shown: object) =>
  inWords(await call('POST', `${services.urls['session-service']}/v1/sessions/refresh`, { body: shown }));

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
    ['that is doubled', () => `${token}${token}`, 'session_invalid'],
    ['whose header is another’s', () => swapped(refreshToken, token, token), 'session_invalid'],
    ['whose claims are another’s', () => swapped(token, otherToken, token), 'session_invalid'],
    ['whose signature is another’s', () => swapped(token, token, otherToken), 'session_invalid'],
    ['that is a refresh token', () => refreshToken, 'session_invalid'],
    ['that is a cookie’s value', () => cookie, 'session_invalid'],
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

  test.each<[string, () => string]>([
    ['is the handle of its session', () => sid],
    ['is cut', () => cookie.slice(0, -1)],
    ['is doubled', () => `${cookie}${cookie}`],
    ['is another id', () => cookie.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))],
    ['is an access token', () => token],
    ['is a refresh token', () => refreshToken],
  ])('a cookie that %s is rejected by both services, and renews nothing', async (_name, make) => {
    const value = make();
    for (const url of [`${services.urls.orders}/orders`, `${services.urls.payments}/payments`]) {
      const answer = await call('GET', url, { headers: { cookie: `__Host-session=${value}` } });
      expect(inWords(answer)).toBe('401 session_invalid');
      expect(answer.headers.has('set-cookie')).toBe(false);
    }
    expect(await renewal({ cookie: value })).toMatch(/^40[01] (session|body)_invalid$/);
    const good = await call('GET', `${services.urls.orders}/orders`, {
      headers: { cookie: `__Host-session=${cookie}` },
    });
    expect(inWords(good)).toBe('200');
  });

  test.each<[string, () => string]>([
    ['is an access token', () => token],
    ['is cut', () => refreshToken.slice(0, -1)],
    ['is doubled', () => `${refreshToken}${refreshToken}`],
    ['has the header of an access token', () => swapped(token, refreshToken, refreshToken)],
    ['has the claims of an access token', () => swapped(refreshToken, token, refreshToken)],
    ['has the signature of an access token', () => swapped(refreshToken, refreshToken, token)],
    ['is a cookie’s value', () => cookie],
  ])('a refresh token that %s is exchanged for nothing', async (_name, make) => {
    expect(await renewal({ refreshToken: make() })).toBe('401 refresh_token_invalid');
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
