import { createHash } from 'node:crypto';
import { CurfewError } from '@curfew/contracts';
import { readClients } from '@curfew/http';
import { generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { authorizationOf } from '../../../../infra/local/clients.mjs';
import { answerTo, serviceWith } from './service.ts';

let app: Awaited<ReturnType<typeof serviceWith>>;
afterEach(() => app.close());

describe('a route', () => {
  test('without a credential is answered with 401, and the challenges that there are', async () => {
    app = await serviceWith();
    const reply = await app.inject('/read');
    expect(reply.json()).toMatchObject({ status: 401, code: 'client_unauthenticated' });
    expect(reply.headers['www-authenticate']).toBe('Basic realm="curfew", Bearer');
  });

  test('lets in the clients that have its scope, and answers the others with 403', async () => {
    app = await serviceWith();
    expect(await answerTo(app, authorizationOf('login'))).toBe('200 login');
    expect(await answerTo(app, authorizationOf('admin'))).toBe('200 admin');
    const reply = await app.inject({ url: '/read', headers: { authorization: authorizationOf('identity') } });
    expect(reply.json()).toMatchObject({ status: 403, code: 'scope_insufficient' });
    expect(reply.headers['www-authenticate']).toBe('Bearer error="insufficient_scope"');
  });

  test('that is open takes anybody, whatever they bring', async () => {
    app = await serviceWith();
    for (const authorization of [undefined, authorizationOf('login'), 'Basic x', 'Bearer x'])
      expect((await app.inject({ url: '/open', headers: { ...(authorization && { authorization }) } })).json()).toEqual(
        {
          caller: 'nobody',
        },
      );
  });

  test.each([
    ['neither a scope nor that it is open', {}],
    ['both', { config: { scope: 'sessions:read', caller: 'open' } as const }],
  ])('that says %s is found before the service starts', async (_, options) => {
    app = await serviceWith();
    expect(() => app.get('/forgotten', options, () => 'secret')).toThrow(
      expect.objectContaining({ code: 'option_invalid', detail: expect.stringContaining('GET /forgotten') }),
    );
  });

  test('that does not exist is not there for anybody', async () => {
    app = await serviceWith();
    expect(await answerTo(app, undefined, '/nowhere')).toBe('404 route_not_found');
  });

  test('is asked for by HEAD under the same rule', async () => {
    app = await serviceWith();
    const head = async (headers: Record<string, string>) =>
      (await app.inject({ method: 'HEAD', url: '/read', headers })).statusCode;
    expect(await head({})).toBe(401);
    expect(await head({ authorization: authorizationOf('login') })).toBe(200);
  });

  test('says in OpenAPI who may call it', async () => {
    app = await serviceWith();
    const { components, paths } = (await app.inject('/openapi.json')).json();
    const ofClients = ['clientSecret', 'clientAssertion', 'clientCertificate'].map((one) => ({
      [one]: ['sessions:read'],
    }));
    expect(Object.keys(components.securitySchemes)).toEqual([...ofClients.flatMap(Object.keys), 'ownToken']);
    expect(paths['/read'].get.security).toEqual(ofClients);
    expect(paths['/subjects/{sub}'].get.security).toEqual([...ofClients, { ownToken: [] }]);
    expect(paths['/open'].get.security).toEqual([]);
  });
});

describe('a user', () => {
  const token = async (typ = 'at+jwt') =>
    new SignJWT({}).setProtectedHeader({ alg: 'EdDSA', typ }).sign((await generateKeyPair('EdDSA')).privateKey);
  const ofAlice = async () => ({ subject: 'alice', sid: 'laptop', authenticatedAt: 0 });

  test('reads what is their own with their access token, and nothing else', async () => {
    app = await serviceWith({ verifyAccessToken: ofAlice });
    for (const typ of ['at+jwt', 'application/AT+JWT']) {
      const bearer = `Bearer ${await token(typ)}`;
      expect(await answerTo(app, bearer, '/subjects/alice')).toBe('200 alice');
      expect(await answerTo(app, bearer, '/subjects/bob')).toBe('403 scope_insufficient');
      expect(await answerTo(app, bearer, '/read')).toBe('401 client_unauthenticated');
    }
  });

  test('is refused with a token that is not valid, and told where the session has ended', async () => {
    const answers = [
      async () => undefined,
      async () => Promise.reject(new CurfewError('session_revoked')),
      async () => Promise.reject(new CurfewError('store_unavailable')),
    ];
    app = await serviceWith({ verifyAccessToken: async () => answers.shift()?.() });
    const bearer = `Bearer ${await token()}`;
    expect(await answerTo(app, bearer, '/subjects/alice')).toBe('401 client_unauthenticated');
    expect(await answerTo(app, bearer, '/subjects/alice')).toBe('401 session_revoked');
    expect(await answerTo(app, bearer, '/subjects/alice')).toBe('503 store_unavailable');
  });

  test('has no way in where the service verifies no access tokens, while its clients do', async () => {
    app = await serviceWith();
    expect(await answerTo(app, `Bearer ${await token()}`, '/subjects/alice')).toBe('401 client_unauthenticated');
    expect(await answerTo(app, authorizationOf('login'), '/subjects/alice')).toBe('200 login');
    expect(await answerTo(app, authorizationOf('identity'), '/subjects/alice')).toBe('403 scope_insufficient');
  });
});

describe('too many requests', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  const secretOf = (id: string) => `${id}-with-a-secret-of-some-length`;
  const authorization = (id: string) => `Basic ${Buffer.from(`${id}:${secretOf(id)}`).toString('base64')}`;
  const client = (id: string, rateLimit?: number) => ({
    id,
    scopes: ['sessions:read'],
    secretSha256: createHash('sha256').update(secretOf(id)).digest('base64url'),
    ...(rateLimit === undefined ? {} : { rateLimit }),
  });
  const clients = readClients(JSON.stringify([client('slow', 2), client('plain'), client('other')]));
  const limits = { client: 3, address: 4 };
  const countOf = async (times: number, ask: () => Promise<string>) => {
    const answers = [];
    for (let i = 0; i < times; i++) answers.push(await ask());
    return answers.filter((answer) => answer !== '429 rate_limited').length;
  };

  test('of one client are answered with 429 and when to try again, and stop no other', async () => {
    app = await serviceWith({ clients, limits });
    expect(await countOf(4, () => answerTo(app, authorization('slow')))).toBe(2);
    expect(await countOf(4, () => answerTo(app, authorization('plain')))).toBe(3);
    expect(await answerTo(app, authorization('other'))).toBe('200 other');
    const refused = await app.inject({ url: '/read', headers: { authorization: authorization('slow') } });
    expect(refused.json()).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(refused.headers['retry-after']).toBe('1');
    vi.setSystemTime(Date.now() + 1001);
    expect(await answerTo(app, authorization('slow'))).toBe('200 slow');
  });

  test('of one address are: at open routes, with no credential, and with a wrong one', async () => {
    app = await serviceWith({ clients, limits });
    expect(await answerTo(app, undefined, '/open')).toBe('200 undefined');
    expect(await answerTo(app, undefined)).toBe('401 client_unauthenticated');
    expect(await answerTo(app, 'Basic x')).toBe('401 client_unauthenticated');
    expect(await answerTo(app, undefined, '/nowhere')).toBe('404 route_not_found');
    for (const [credential, url] of [
      [undefined, '/open'],
      [undefined, '/read'],
      ['Bearer x', '/read'],
      [undefined, '/nowhere'],
    ] as const)
      expect(await answerTo(app, credential, url)).toBe('429 rate_limited');
    expect(await answerTo(app, authorization('plain'))).toBe('200 plain');
  });

  test.each([
    ['cannot be read', 'broken', '400 body_invalid'],
    ['are too large', 'x'.repeat(2 * 1024 * 1024), '413 body_too_large'],
    ['carry no credential', 'token=x', '401 client_unauthenticated'],
    [
      'carry a wrong one',
      'client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=x',
      '401 client_unauthenticated',
    ],
  ])('of one address are, each counted once, where their forms %s', async (_, payload, answer) => {
    app = await serviceWith({ clients, limits });
    const answers = [];
    for (let i = 0; i < 5; i++) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const reply = await app.inject({ method: 'POST', url: '/form', headers, payload });
      answers.push(`${reply.statusCode} ${reply.json().code}`);
    }
    expect(answers).toEqual([answer, answer, answer, answer, '429 rate_limited']);
  });

  test('are told apart by the address behind a proxy, where the proxy is trusted', async () => {
    app = await serviceWith({ clients, limits, trustedProxies: ['127.0.0.1'] });
    const from = async (address: string) =>
      `${(await app.inject({ url: '/open', headers: { 'x-forwarded-for': address } })).statusCode} `.trim();
    for (let i = 0; i < 4; i++) expect(await from('192.0.2.1')).toBe('200');
    expect(await from('192.0.2.1')).toBe('429');
    expect(await from('192.0.2.2')).toBe('200');
  });

  test('are not told apart by what a client says of itself', async () => {
    app = await serviceWith({ clients, limits });
    const codes = [];
    for (let i = 0; i < 5; i++)
      codes.push((await app.inject({ url: '/open', headers: { 'x-forwarded-for': `192.0.2.${i}` } })).statusCode);
    expect(codes).toEqual([200, 200, 200, 200, 429]);
  });

  test('are none where the health is asked for', async () => {
    app = await serviceWith({ clients, limits });
    for (const url of ['/healthz', '/readyz', '/openapi.json'])
      for (let i = 0; i < 10; i++) expect((await app.inject(url)).statusCode).toBe(200);
  });
});
