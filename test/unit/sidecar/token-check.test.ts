import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createTokenCheck, remoteKeys } from '../../../libs/sidecar/src/token-check.ts';
import { AUDIENCE, CLAIMS, createIssuer, ISSUER, NOW } from './issuer.ts';

const issuer = await createIssuer();
const checkAt = (now: number, keys = issuer.keys) =>
  createTokenCheck({ issuer: ISSUER, audience: AUDIENCE, maxClockSkewMs: 250, now: () => now }, keys);
const check = checkAt(NOW);
const INVALID = { ok: false, code: 'session_invalid' };
const EXPIRED = { ok: false, code: 'session_expired' };

describe('the token check', () => {
  test('gives the claims of a token that the issuer signed for this audience', async () => {
    expect(await check(await issuer.sign())).toEqual({ ok: true, claims: CLAIMS });
  });

  test('takes ES256 as well as EdDSA', async () => {
    const other = await createIssuer('ES256');
    expect(await checkAt(NOW, other.keys)(await other.sign())).toMatchObject({ ok: true });
  });

  test('takes an audience among others', async () => {
    expect(await check(await issuer.sign({ aud: ['other', AUDIENCE] }))).toMatchObject({ ok: true });
  });

  test.each([
    ['of another issuer', { iss: 'https://evil.test' }],
    ['for another audience', { aud: 'bank' }],
    ['that is not valid yet', { nbf: NOW / 1000 + 60 }],
    ['without versions', { ver: undefined }],
    ['with versions that are no numbers', { ver: { s: '10', t: 0, r: 10, at: NOW } }],
    ['without a session', { sid: undefined }],
    ['without an expiry', { exp: undefined }],
    ['without a subject', { sub: undefined }],
  ])('refuses a token %s', async (_name, claims) => {
    expect(await check(await issuer.sign(claims))).toEqual(INVALID);
  });

  test('refuses an id token, or any other type of token, by the same issuer', async () => {
    expect(await check(await issuer.sign({}, { typ: 'JWT' }))).toEqual(INVALID);
  });

  test('refuses a token by a foreign key that bears the name of a known one', async () => {
    const foreign = await createIssuer();
    expect(await check(await foreign.sign())).toEqual(INVALID);
  });

  test('refuses a key that it does not know', async () => {
    expect(await check(await issuer.sign({}, { kid: 'key-2' }))).toEqual(INVALID);
  });

  test('refuses a key that comes with the token', async () => {
    const foreign = await createIssuer();
    const token = await foreign.sign({}, { jwk: foreign.jwk });
    expect(await check(token)).toEqual(INVALID);
  });

  test('refuses a token without a signature (alg: none)', async () => {
    const unsigned = new UnsecuredJWT(CLAIMS).encode();
    expect(await check(unsigned)).toEqual(INVALID);
    const [, payload] = unsigned.split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt', kid: 'key-1' })).toString('base64url');
    expect(await check(`${header}.${payload}.`)).toEqual(INVALID);
  });

  test('refuses the public key used as the secret of an HMAC (HS256)', async () => {
    const secret = Buffer.from(JSON.stringify(issuer.jwk));
    const forged = (key: Uint8Array) =>
      new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256', kid: 'key-1', typ: 'at+jwt' }).sign(key);
    expect(await check(await forged(secret))).toEqual(INVALID);
    expect(await check(await forged(Buffer.from(issuer.jwk.x ?? '', 'base64url')))).toEqual(INVALID);
  });

  test('refuses an algorithm that is not on the list, even by a key of the issuer', async () => {
    const other = await createIssuer('RS256');
    expect(await checkAt(NOW, other.keys)(await other.sign())).toEqual(INVALID);
  });

  test('refuses a changed payload', async () => {
    const [header, , signature] = (await issuer.sign()).split('.');
    const payload = Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'bob' })).toString('base64url');
    expect(await check(`${header}.${payload}.${signature}`)).toEqual(INVALID);
  });

  test('refuses a token longer than 8 KiB without looking for a key', async () => {
    let asked = 0;
    const keys: typeof issuer.keys = (...of) => {
      asked++;
      return issuer.keys(...of);
    };
    const long = await issuer.sign({ roles: ['r'.repeat(8000)] });
    expect(await checkAt(NOW, keys)(long)).toEqual(INVALID);
    expect(asked).toBe(0);
  });

  test('accepts until the expiry and the skew have passed, and not a millisecond longer', async () => {
    const token = await issuer.sign();
    const end = CLAIMS.exp * 1000 + 250;
    expect(await checkAt(end - 1)(token)).toMatchObject({ ok: true });
    expect(await checkAt(end)(token)).toEqual(EXPIRED);
    expect(await checkAt(end + 3_600_000)(token)).toEqual(EXPIRED);
  });

  test('never says of a token with a wrong signature that it has expired', async () => {
    const foreign = await createIssuer();
    expect(await checkAt(NOW + 3_600_000)(await foreign.sign())).toEqual(INVALID);
  });

  test('refuses any text, and never throws', async () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.tuple(fc.json(), fc.json(), fc.base64String()).map(([header, payload, signature]) =>
        [header, payload]
          .map((part) => Buffer.from(part).toString('base64url'))
          .concat(signature)
          .join('.'),
      ),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await check(text)).toEqual(INVALID);
      }),
    );
  });
});

describe('the keys of the issuer', () => {
  const servers: { close(): void }[] = [];
  afterEach(() => {
    vi.useRealTimers();
    for (const server of servers.splice(0)) server.close();
  });

  async function serve(answer: () => { status: number; body: string }) {
    let requests = 0;
    const server = createServer((_request, response) => {
      requests++;
      const { status, body } = answer();
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
    return { url, requests: () => requests, close: () => server.close() };
  }

  const published = () => ({ status: 200, body: JSON.stringify({ keys: [issuer.jwk] }) });

  test('are fetched once for many tokens, and not again for each token with an unknown key', async () => {
    const { url, requests } = await serve(published);
    const checkRemotely = checkAt(NOW, remoteKeys(url));
    for (let i = 0; i < 3; i++) expect(await checkRemotely(await issuer.sign())).toMatchObject({ ok: true });
    for (let i = 0; i < 3; i++) expect(await checkRemotely(await issuer.sign({}, { kid: `x${i}` }))).toEqual(INVALID);
    expect(requests()).toBe(1);
  });

  test.each([
    ['answers 500', { status: 500, body: '{}' }],
    ['answers with something else than JSON', { status: 200, body: '<html>' }],
    ['answers with something else than keys', { status: 200, body: '{"keys":1}' }],
  ])('leave a token unjudged, instead of refusing it, while the issuer %s', async (_name, broken) => {
    let answer = broken;
    const { url } = await serve(() => answer);
    const checkRemotely = checkAt(NOW, remoteKeys(url));
    const token = await issuer.sign();
    expect(await checkRemotely(token)).toEqual({ ok: false, code: 'not_ready' });
    answer = published();
    expect(await checkRemotely(token)).toMatchObject({ ok: true });
  });

  test('that were fetched before go on while the issuer is away, however long', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let answer = published();
    const { url, requests } = await serve(() => answer);
    const checkRemotely = checkAt(NOW, remoteKeys(url));
    await checkRemotely(await issuer.sign());
    answer = { status: 503, body: '' };
    vi.advanceTimersByTime(3_600_000);
    expect(await checkRemotely(await issuer.sign())).toMatchObject({ ok: true });
    expect(await checkRemotely(await (await createIssuer()).sign())).toEqual(INVALID);
    expect(requests()).toBeGreaterThan(1);
  });

  test('rotate: a token of a key that was published for longer than the cooldown is accepted, by one fetch for all', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const next = await createIssuer('ES256', 'key-2');
    let keys = [issuer.jwk];
    const { url, requests } = await serve(() => ({ status: 200, body: JSON.stringify({ keys }) }));
    const checkRemotely = checkAt(NOW, remoteKeys(url));
    await checkRemotely(await issuer.sign());
    keys = [issuer.jwk, next.jwk];
    vi.advanceTimersByTime(5001);
    const tokens = await Promise.all([next, issuer, next, issuer].map((one, i) => one.sign({ jti: `${i}` })));
    const checked = await Promise.all(tokens.map((token) => checkRemotely(token)));
    expect(checked.map(({ ok }) => ok)).toEqual([true, true, true, true]);
    expect(requests()).toBe(2);
    keys = [next.jwk];
    vi.advanceTimersByTime(3_600_000);
    expect(await checkRemotely(await next.sign())).toMatchObject({ ok: true });
    expect(await checkRemotely(await issuer.sign())).toEqual(INVALID);
  });

  test('leave a token of a key not known unjudged while they cannot be fetched: it may be a new one', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let answer = published();
    const { url } = await serve(() => answer);
    const checkRemotely = checkAt(NOW, remoteKeys(url));
    await checkRemotely(await issuer.sign());
    answer = { status: 503, body: '' };
    vi.advanceTimersByTime(5001);
    const next = await createIssuer('EdDSA', 'key-2');
    expect(await checkRemotely(await next.sign())).toEqual({ ok: false, code: 'not_ready' });
    expect(await checkRemotely(await issuer.sign())).toMatchObject({ ok: true });
  });

  test('leave a token unjudged while nobody listens', async () => {
    const { url, close } = await serve(published);
    close();
    expect(await checkAt(NOW, remoteKeys(url))(await issuer.sign())).toEqual({ ok: false, code: 'not_ready' });
  });
});
