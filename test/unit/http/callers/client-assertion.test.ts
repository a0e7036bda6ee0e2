import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { readClients } from '@curfew/http';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, describe, expect, test } from 'vitest';
import { ClientAssertions } from '../../../../libs/http/src/callers/client-assertion.ts';
import { answerTo, serviceWith } from './service.ts';

const AUDIENCE = 'https://service.test';
const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const KEYS = {
  EdDSA: generateKeyPairSync('ed25519'),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
} as const;
const other = generateKeyPairSync('ed25519');

const clientWith = (id: string, key: KeyObject) => ({
  id,
  scopes: ['sessions:read'],
  jwks: { keys: [key.export({ format: 'jwk' })] },
});
const clients = readClients(
  JSON.stringify([
    ...Object.entries(KEYS).map(([alg, { publicKey }]) => clientWith(alg, publicKey)),
    clientWith('other', other.publicKey),
  ]),
);
const app = await serviceWith({ clients });
afterAll(() => app.close());

const now = () => Math.floor(Date.now() / 1000);
const claims = (id = 'EdDSA') => ({ iss: id, sub: id, aud: AUDIENCE, jti: randomUUID(), exp: now() + 60 });

const sign = (payload: object, key: KeyObject | Uint8Array = KEYS.EdDSA.privateKey, header: object = {}) =>
  new SignJWT({ ...payload }).setProtectedHeader({ alg: 'EdDSA', ...header }).sign(key);

describe('a client with a key', () => {
  test.each(['EdDSA', 'ES256', 'PS256'] as const)('is let in by an assertion signed with %s', async (alg) => {
    const assertion = await sign(claims(alg), KEYS[alg].privateKey, { alg });
    expect(await answerTo(app, `Bearer ${assertion}`)).toBe(`200 ${alg}`);
  });

  test('is let in where its clock is some seconds ahead', async () => {
    const assertion = await sign({ ...claims(), nbf: now() + 3, exp: now() + 302 });
    expect(await answerTo(app, `Bearer ${assertion}`)).toBe('200 EdDSA');
  });

  test('is let in by an assertion in a form, where the route takes forms', async () => {
    const post = (url: string, type: string, assertion: string) =>
      app.inject({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        payload: new URLSearchParams({ client_assertion_type: type, client_assertion: assertion }).toString(),
      });
    expect((await post('/form', TYPE, await sign(claims()))).json()).toEqual({ client: 'EdDSA' });
    expect((await post('/form', 'password', await sign(claims()))).json()).toMatchObject({ status: 401 });
    expect((await post('/form', TYPE, await sign(claims(), other.privateKey))).json()).toMatchObject({ status: 401 });
    expect((await post('/json', TYPE, await sign(claims()))).json()).toMatchObject({ status: 401 });
    const empty = await app.inject({ method: 'POST', url: '/form' });
    expect(empty.json()).toMatchObject({ code: 'client_unauthenticated' });
  });

  test('is refused the second time with one assertion, as often as it comes at once', async () => {
    const assertion = await sign(claims());
    const answers = await Promise.all(Array.from({ length: 20 }, () => answerTo(app, `Bearer ${assertion}`)));
    expect(answers.filter((answer) => answer === '200 EdDSA')).toHaveLength(1);
    expect(answers.filter((answer) => answer === '401 client_unauthenticated')).toHaveLength(19);
  });

  test('may use an id for an assertion that another client has used', async () => {
    const shared = { jti: randomUUID() };
    for (const [id, key] of [
      ['EdDSA', KEYS.EdDSA],
      ['other', other],
    ] as const)
      expect(await answerTo(app, `Bearer ${await sign({ ...claims(id), ...shared }, key.privateKey)}`)).toBe(
        `200 ${id}`,
      );
  });

  test.each<[string, () => Promise<string> | string]>([
    ['that has expired', () => sign({ ...claims(), exp: now() - 10 })],
    ['that never expires', () => sign({ ...claims(), exp: undefined })],
    ['that expires in more than five minutes', () => sign({ ...claims(), exp: now() + 400 })],
    ['of a clock that is five minutes ahead', () => sign({ ...claims(), nbf: now() + 300, exp: now() + 360 })],
    ['for another service', () => sign({ ...claims(), aud: 'https://another.test' })],
    ['for nobody', () => sign({ ...claims(), aud: undefined })],
    ['without an id', () => sign({ ...claims(), jti: undefined })],
    ['with an id that is no text', () => sign({ ...claims(), jti: 7 })],
    ['with an id that is endless', () => sign({ ...claims(), jti: 'x'.repeat(1000) })],
    ['of another client’s key', () => sign(claims(), other.privateKey)],
    ['about another client', () => sign({ ...claims(), sub: 'other' })],
    ['of another client about this one', () => sign({ ...claims('other'), sub: 'EdDSA' }, other.privateKey)],
    ['of a client that nobody knows', () => sign(claims('nobody'))],
    ['of another algorithm than its key’s', () => sign(claims('PS256'), KEYS.PS256.privateKey, { alg: 'RS256' })],
    [
      'signed with its public key as a secret',
      () => sign(claims(), Buffer.from(KEYS.EdDSA.publicKey.export({ format: 'pem', type: 'spki' })), { alg: 'HS256' }),
    ],
    ['that nobody signed', () => new UnsecuredJWT(claims()).encode()],
    ['of swapped parts', async () => (await sign(claims())).split('.').reverse().join('.')],
    ['that is cut off', async () => (await sign(claims())).slice(0, -8)],
    ['that is rubbish', () => 'e30.e30.e30'],
    ['that passes for an access token', () => sign(claims(), KEYS.EdDSA.privateKey, { typ: 'at+jwt' })],
  ])('is refused with an assertion %s', async (_, assertion) => {
    expect(await answerTo(app, `Bearer ${await assertion()}`)).toBe('401 client_unauthenticated');
  });
});

describe('assertions that were used', () => {
  test('are remembered until they have expired, and none is forgotten for another', async () => {
    let time = Date.now();
    const assertions = new ClientAssertions({ clients, audience: AUDIENCE, now: () => time, maxRemembered: 2 });
    const first = await sign(claims());
    await assertions.clientOf(first);
    await assertions.clientOf(await sign(claims()));
    await expect(assertions.clientOf(await sign(claims()))).rejects.toMatchObject({ code: 'rate_limited' });
    await expect(assertions.clientOf(first)).rejects.toMatchObject({ code: 'client_unauthenticated' });
    time += 70_000;
    // lru-cache reads its clock once a millisecond.
    await sleep(5);
    const later = await sign({ ...claims(), exp: now() + 130 });
    await expect(assertions.clientOf(later)).resolves.toMatchObject({ id: 'EdDSA' });
  });
});
