import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CurfewError } from '@curfew/contracts';
import type { Authentication, Policy, RejectionCode } from '@curfew/sidecar';
import { protect } from '@curfew/sidecar/express';
import { curfew } from '@curfew/sidecar/fastify';
import express from 'express';
import fastify from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearerToken } from '../../../libs/sidecar/src/bearer.ts';
import { REJECTIONS, verifiedToken } from '../../../libs/sidecar/src/session.ts';
import { CLAIMS } from './issuer.ts';
import { BOUND } from './store.ts';

const alice = verifiedToken(CLAIMS);

/** Says what the tests want it to say, at once or later, and remembers what it was asked. */
const sidecar = {
  answer: alice.accepted.memory as Authentication,
  late: false,
  asked: [] as [string, Policy | undefined, number | undefined][],
  boundOf(maxViewAgeMs = BOUND) {
    if (maxViewAgeMs > BOUND) throw new CurfewError('option_invalid', 'maxViewAgeMs is too long');
    return maxViewAgeMs;
  },
  authenticate(token: string, policy?: Policy, maxViewAgeMs = BOUND) {
    sidecar.asked.push([token, policy ?? 'strict', maxViewAgeMs]);
    return sidecar.late ? Promise.resolve(sidecar.answer) : sidecar.answer;
  },
};

beforeEach(() => Object.assign(sidecar, { answer: alice.accepted.memory, late: false, asked: [] }));

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
) => Promise<{ status: number; headers: Headers; body: unknown }>;

const app = fastify();
let expressServer: Server;
const sends: Record<'Fastify' | 'Express', Send> = {
  Fastify: async (url, headers = {}) => {
    const reply = await app.inject({ url, headers });
    return {
      status: reply.statusCode,
      headers: new Headers(reply.headers as Record<string, string>),
      body: reply.json(),
    };
  },
  Express: async (path, headers = {}) => {
    const reply = await fetch(`http://127.0.0.1:${(expressServer.address() as AddressInfo).port}${path}`, { headers });
    return { status: reply.status, headers: reply.headers, body: await reply.json() };
  },
};

beforeAll(async () => {
  await app.register(curfew, { sidecar });
  app.get('/strict', ({ session }) => ({ subject: session.subject, provable: session.provable }));
  app.get('/lenient', { config: { curfew: 'lenient' } }, ({ session }) => ({ provable: session.provable }));
  app.get('/tight', { config: { curfew: { policy: 'lenient', maxViewAgeMs: 300 } } }, ({ session }) => ({
    source: session.source,
  }));
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
  other.get('/open', (request, response) => {
    response.json({ session: request.session ?? null });
  });
  other.use(protect(sidecar));
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

test('a route that asks for a looser bound than the sidecar has is refused when the service is built', async () => {
  expect(() => protect(sidecar, { maxViewAgeMs: BOUND + 1 })).toThrow(CurfewError);
  const loose = fastify();
  await loose.register(curfew, { sidecar });
  expect(() => loose.get('/', { config: { curfew: { maxViewAgeMs: BOUND + 1 } } }, () => '')).toThrow(CurfewError);
});
