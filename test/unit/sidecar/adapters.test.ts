import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CurfewError } from '@curfew/contracts';
import type { Authentication, Policy, RejectionCode, Session } from '@curfew/sidecar';
import { protect } from '@curfew/sidecar/express';
import { curfew } from '@curfew/sidecar/fastify';
import express from 'express';
import fastify from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearerToken } from '../../../libs/sidecar/src/bearer.ts';
import { REJECTIONS, verifiedToken } from '../../../libs/sidecar/src/session.ts';
import { CLAIMS, NOW } from './issuer.ts';
import { BOUND } from './store.ts';

const alice = verifiedToken(CLAIMS);

/** Says what the tests want it to say, at once or later, and remembers what it was asked. */
const sidecar = {
  answer: alice.accepted.memory as Authentication,
  late: false,
  asked: [] as [string, Policy | undefined, number | undefined][],
  turned: [] as string[],
  /** Whose accepted requests were turned away. */
  takenBack: [] as (string | undefined)[],
  boundOf(maxViewAgeMs = BOUND) {
    if (maxViewAgeMs > BOUND) throw new CurfewError('option_invalid', 'maxViewAgeMs is too long');
    return maxViewAgeMs;
  },
  authenticate(token: string, policy?: Policy, maxViewAgeMs = BOUND) {
    sidecar.asked.push([token, policy ?? 'strict', maxViewAgeMs]);
    return sidecar.late ? Promise.resolve(sidecar.answer) : sidecar.answer;
  },
  authenticateCookie(id: string, policy?: Policy, maxViewAgeMs = BOUND) {
    return sidecar.authenticate(`cookie ${id}`, policy, maxViewAgeMs);
  },
  turnedAway(code: string, session?: Session) {
    sidecar.turned.push(code);
    sidecar.takenBack.push(session?.subject);
  },
  now: () => NOW,
};

beforeEach(() =>
  Object.assign(sidecar, { answer: alice.accepted.memory, late: false, asked: [], turned: [], takenBack: [] }),
);

describe('the Authorization header', () => {
  test.each([
    ['Bearer a.b.c', 'a.b.c'],
    ['bearer a.b.c', 'a.b.c'],
    ['BEARER   a.b.c ', 'a.b.c'],
    ['Bearer ', undefined],
    ['Bearera.b.c', undefined],
    ['Basic YTpi', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%o carries the token %o', (header, token) => expect(bearerToken(header)).toBe(token));
});

type Send = (
  path: string,
  headers?: Record<string, string>,
  method?: 'GET' | 'POST',
) => Promise<{ status: number; headers: Headers; body: unknown }>;

const app = fastify();
let expressServer: Server;
const sends: Record<'Fastify' | 'Express', Send> = {
  Fastify: async (url, headers = {}, method = 'GET') => {
    const reply = await app.inject({ url, headers, method });
    return {
      status: reply.statusCode,
      headers: new Headers(reply.headers as Record<string, string>),
      body: reply.json(),
    };
  },
  Express: async (path, headers = {}, method = 'GET') => {
    const { port } = expressServer.address() as AddressInfo;
    // Not by fetch, which sends no Sec-Fetch-Site, and no Host but its own.
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Send>>>();
    request({ host: '127.0.0.1', port, path, headers, method }, async (reply) => {
      const text = (await reply.toArray()).join('');
      const told = new Headers(reply.headers as Record<string, string>);
      resolve({ status: reply.statusCode ?? 0, headers: told, body: JSON.parse(text) });
    })
      .once('error', reject)
      .end();
    return promise;
  },
};

beforeAll(async () => {
  await app.register(curfew, { sidecar, allowedOrigins: ['https://app.test'] });
  app.get('/strict', ({ session }) => ({ subject: session.subject, provable: session.provable }));
  app.get('/lenient', { config: { curfew: 'lenient' } }, ({ session }) => ({ provable: session.provable }));
  app.get('/tight', { config: { curfew: { policy: 'lenient', maxViewAgeMs: 300 } } }, ({ session }) => ({
    source: session.source,
  }));
  app.post('/strict', ({ session }) => ({ subject: session.subject }));
  app.get('/transfers', { config: { curfew: TRANSFERS } }, ({ session }) => ({ subject: session.subject }));
  app.get('/open', { config: { curfew: 'open' } }, ({ session }) => ({ session }));
  app.register(async (child) => {
    child.get('/child', ({ session }) => ({ subject: session.subject }));
  });

  const other = express();
  other.get('/lenient', protect(sidecar, 'lenient'), ({ session }, response) => {
    response.json({ provable: session.provable });
  });
  other.get('/tight', protect(sidecar, { policy: 'lenient', maxViewAgeMs: 300 }), ({ session }, response) => {
    response.json({ source: session.source });
  });
  other.get('/transfers', protect(sidecar, TRANSFERS), ({ session }, response) => {
    response.json({ subject: session.subject });
  });
  other.get('/open', (request, response) => {
    response.json({ session: request.session ?? null });
  });
  other.use(protect(sidecar, { allowedOrigins: ['https://app.test'] }));
  other.post('/strict', ({ session }, response) => {
    response.json({ subject: session.subject });
  });
  other.get(['/strict', '/child'], ({ session }, response) => {
    response.json({ subject: session.subject, provable: session.provable });
  });
  expressServer = createServer(other);
  await new Promise<void>((resolve) => expressServer.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  await app.close();
  await new Promise((resolve) => expressServer.close(resolve));
});

const TRANSFERS = { tier: 'payment', maxAuthAgeMs: 300_000, acr: ['urn:mfa', 'urn:key'] } as const;

const BEARER = { authorization: 'Bearer a.b.c' };

describe.each(['Fastify', 'Express'] as const)('a service on %s', (framework) => {
  const send = sends[framework];

  test.each([false, true])('knows who makes the request (answer comes later: %s)', async (late) => {
    sidecar.late = late;
    expect(await send('/strict', BEARER)).toMatchObject({ status: 200, body: { subject: 'alice', provable: true } });
    expect(sidecar.asked).toEqual([['a.b.c', 'strict', BOUND]]);
  });

  test('protects a route by its own policy', async () => {
    sidecar.answer = alice.accepted.policy;
    expect(await send('/lenient', BEARER)).toMatchObject({ status: 200, body: { provable: false } });
    expect(sidecar.asked).toEqual([['a.b.c', 'lenient', BOUND]]);
  });

  test('protects a route by a bound of its own, and tells what decided', async () => {
    sidecar.answer = alice.accepted.store;
    expect(await send('/tight', BEARER)).toMatchObject({ status: 200, body: { source: 'store' } });
    expect(sidecar.asked).toEqual([['a.b.c', 'lenient', 300]]);
  });

  test('protects the routes of its plugins too', async () => {
    sidecar.answer = REJECTIONS.memory.session_revoked;
    expect(await send('/child', BEARER)).toMatchObject({ status: 401, body: { code: 'session_revoked' } });
  });

  test('lets anybody use an open route, without a look at what they carry', async () => {
    expect(await send('/open', BEARER)).toMatchObject({ status: 200, body: { session: null } });
    expect(sidecar.asked).toEqual([]);
  });

  test.each<[RejectionCode, number, string | null, string | null]>([
    ['session_revoked', 401, 'Bearer error="invalid_token"', null],
    ['session_stale', 401, 'Bearer error="invalid_token"', null],
    ['session_expired', 401, 'Bearer error="invalid_token"', null],
    ['session_invalid', 401, 'Bearer error="invalid_token"', null],
    ['view_stale', 503, null, '1'],
    ['not_ready', 503, null, '1'],
  ])('answers %s with %i and the headers that belong to it', async (code, status, challenge, retryAfter) => {
    for (const late of [false, true]) {
      Object.assign(sidecar, { answer: { ok: false, code, source: 'memory' }, late });
      const reply = await send('/strict', BEARER);
      expect(reply).toMatchObject({ status, body: { type: 'about:blank', status, code } });
      expect(reply.headers.get('content-type')).toContain('application/problem+json');
      expect(reply.headers.get('www-authenticate')).toBe(challenge);
      expect(reply.headers.get('retry-after')).toBe(retryAfter);
    }
  });

  test('challenges a request without any credential by the bare scheme', async () => {
    const reply = await send('/strict');
    expect(reply).toMatchObject({ status: 401, body: { code: 'session_invalid' } });
    expect(reply.headers.get('www-authenticate')).toBe('Bearer');
    expect(sidecar.asked).toEqual([]);
  });

  const COOKIE = { cookie: 'theme=dark; __Host-session=abc; other="x"' };

  test('takes the session cookie, where there is no token', async () => {
    expect(await send('/strict', COOKIE)).toMatchObject({ status: 200 });
    expect(await send('/strict', { ...COOKIE, ...BEARER })).toMatchObject({ status: 200 });
    expect(sidecar.asked.map(([shown]) => shown)).toEqual(['cookie abc', 'a.b.c']);
  });

  test('answers a cookie that is no session without touching it: a newer one may be on its way', async () => {
    sidecar.answer = REJECTIONS.token.session_invalid;
    const reply = await send('/strict', COOKIE);
    expect(reply).toMatchObject({ status: 401, body: { code: 'session_invalid' } });
    expect(reply.headers.has('set-cookie')).toBe(false);
  });

  test.each([
    ['same-origin', { 'sec-fetch-site': 'same-origin' }, 200],
    ['same-site', { 'sec-fetch-site': 'same-site' }, 403],
    ['cross-site', { 'sec-fetch-site': 'cross-site', origin: 'https://shop.test' }, 403],
    ['an origin that is this host', { origin: 'https://shop.test' }, 200],
    ['an origin that is this host, as others write it', { origin: 'https://shop.test', host: 'Shop.test:443' }, 200],
    ['an origin of this name that is no site', { origin: 'app://shop.test' }, 403],
    ['an origin that is another port of this host', { origin: 'https://shop.test:8443' }, 403],
    ['another origin', { origin: 'https://evil.test' }, 403],
    ['an origin that is none', { origin: 'null' }, 403],
    ['an allowed origin', { origin: 'https://app.test', 'sec-fetch-site': 'cross-site' }, 200],
    ['nothing that says whence', {}, 403],
  ])('lets a POST with a cookie through that comes from %s: %o, %i', async (_name, headers, status) => {
    const reply = await send('/strict', { host: 'shop.test', ...COOKIE, ...headers }, 'POST');
    expect(reply).toMatchObject({
      status,
      body: status === 200 ? { subject: 'alice' } : { code: 'cross_site_request' },
    });
    expect(sidecar.asked).toHaveLength(status === 200 ? 1 : 0);
    expect(sidecar.turned).toEqual(status === 200 ? [] : ['cross_site_request']);
  });

  test('lets a POST with a token through from anywhere: no browser adds one by itself', async () => {
    expect(await send('/strict', { ...BEARER, 'sec-fetch-site': 'cross-site' }, 'POST')).toMatchObject({ status: 200 });
  });

  const S = NOW / 1000;
  test.each([
    ['all of it', { tier: 'payment', auth_time: S - 300, acr: 'urn:mfa' }, 200],
    ['a lower tier', { tier: 'account', auth_time: S, acr: 'urn:mfa' }, 401],
    ['no tier', { auth_time: S, acr: 'urn:mfa' }, 401],
    ['an authentication too long ago', { tier: 'payment', auth_time: S - 301, acr: 'urn:mfa' }, 401],
    ['no time of authentication', { tier: 'payment', acr: 'urn:mfa' }, 401],
    ['another way of authentication', { tier: 'payment', auth_time: S, acr: 'urn:pwd' }, 401],
  ] as const)('lets a session with %s into a route that asks for more: %o, %i', async (_name, claims, status) => {
    for (const late of [false, true]) {
      Object.assign(sidecar, { answer: verifiedToken({ ...CLAIMS, ...claims }).accepted.memory, late });
      expect((await send('/transfers', BEARER)).status).toBe(status);
    }
  });

  test('says what to ask the user for (RFC 9470)', async () => {
    const reply = await send('/transfers', BEARER);
    expect(reply.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_user_authentication", error_description="[^"]+", acr_values="urn:mfa urn:key", max_age="300"$/,
    );
    const body = { code: 'insufficient_user_authentication', status: 401, ...TRANSFERS };
    expect(reply).toMatchObject({ status: 401, body });
    expect(sidecar.turned).toEqual(['insufficient_user_authentication']);
    // It was accepted first, and is not to be counted as let through.
    expect(sidecar.takenBack).toEqual(['alice']);
  });

  test('takes no token from elsewhere than the Authorization header', async () => {
    const reply = await send('/strict?access_token=a.b.c', {
      cookie: 'access_token=a.b.c',
      authorization: 'Basic a.b.c',
    });
    expect(reply).toMatchObject({ status: 401, body: { code: 'session_invalid' } });
    expect(reply.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(sidecar.asked).toEqual([]);
  });
});

test.each([{ tier: 'gold' as never }, { maxAuthAgeMs: 0 }, { acr: [] }, { acr: ['a"b'] }])(
  'a route that asks for %j is refused when the service is built',
  (asked) => {
    expect(() => protect(sidecar, asked)).toThrow(expect.objectContaining({ code: 'option_invalid' }));
  },
);

test.each([{ csrf: 'Strict' }, { allowedOrigins: ['https://app.test/'] }, { allowedOrigins: 'https://app.test' }])(
  'a check of where requests come from that cannot be made is refused when the service is built: %j',
  async (options) => {
    const wrong = expect.objectContaining({ code: 'option_invalid' });
    expect(() => protect(sidecar, options as never)).toThrow(wrong);
    await expect(fastify().register(curfew, { sidecar, ...options } as never)).rejects.toEqual(wrong);
  },
);

test('a route that asks for a looser bound than the sidecar has is refused when the service is built', async () => {
  expect(() => protect(sidecar, { maxViewAgeMs: BOUND + 1 })).toThrow(CurfewError);
  const loose = fastify();
  await loose.register(curfew, { sidecar });
  expect(() => loose.get('/', { config: { curfew: { maxViewAgeMs: BOUND + 1 } } }, () => '')).toThrow(CurfewError);
});
