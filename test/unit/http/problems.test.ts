import { CurfewError, ERRORS, type ErrorCode } from '@curfew/contracts';
import { createApp } from '@curfew/http';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const CODES = Object.keys(ERRORS) as ErrorCode[];

/** Those that are not about the token of a user's session. */
const CHALLENGES: Partial<Record<ErrorCode, string>> = {
  client_unauthenticated: 'Basic realm="curfew", Bearer',
  scope_insufficient: 'Bearer error="insufficient_scope"',
  insufficient_user_authentication: 'Bearer error="insufficient_user_authentication"',
};

const app = await createApp({ name: 'test', logLevel: 'silent', notReady: () => [] });

beforeAll(async () => {
  const failing = { params: Type.Object({ code: Type.Enum(CODES) }) };
  app.get('/fail/:code', { schema: failing }, ({ params }) => {
    throw new CurfewError(params.code, 'what happened');
  });
  app.get('/rejected', () => {
    throw new CurfewError('set_rejected', 'jti is missing', { reason: 'set_invalid' });
  });
  app.get('/later', () => {
    throw new CurfewError('view_stale', undefined, { retryAfter: 7 });
  });
  app.get('/broken', () => {
    throw new Error('password=secret');
  });
  app.post('/echo', { schema: { body: Type.Object({ count: Type.Integer() }) } }, ({ body }) => body);
  await app.ready();
});
afterAll(() => app.close());

async function answer(url: string, payload?: string, contentType = 'application/json') {
  const response =
    payload === undefined
      ? await app.inject(url)
      : await app.inject({ method: 'POST', url, payload, headers: { 'content-type': contentType } });
  return { status: response.statusCode, headers: response.headers, body: response.json() };
}

describe('an error', () => {
  test.each(CODES)('%s is answered with its status and a problem+json of its code', async (code) => {
    const { status, headers, body } = await answer(`/fail/${code}`);
    expect(status).toBe(ERRORS[code].status);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(body).toEqual({ type: 'about:blank', ...ERRORS[code], code, detail: 'what happened' });
    const invalidToken = status === 401 ? 'Bearer error="invalid_token"' : undefined;
    expect(headers['www-authenticate']).toBe(CHALLENGES[code] ?? invalidToken);
    expect(headers['retry-after']).toBe(status === 503 || status === 429 ? '1' : undefined);
  });

  test('says when to try again', async () => {
    expect((await answer('/later')).headers['retry-after']).toBe('7');
  });

  test('says which rule of a SET was broken', async () => {
    expect((await answer('/rejected')).body).toMatchObject({ code: 'set_rejected', reason: 'set_invalid' });
  });

  test('that nobody expected says nothing of itself', async () => {
    const { status, body } = await answer('/broken');
    expect(status).toBe(500);
    expect(body).toEqual({ type: 'about:blank', ...ERRORS.internal, code: 'internal' });
  });
});

describe('a request that cannot be taken', () => {
  test.each<[string, string, string, string | undefined, number, ErrorCode]>([
    ['broken JSON', '/echo', '{"count":', undefined, 400, 'body_invalid'],
    ['no body', '/echo', '', undefined, 400, 'body_invalid'],
    ['a body of another form', '/echo', '{"count":"one"}', undefined, 400, 'body_invalid'],
    ['a number in quotes, which is not a number', '/echo', '{"count":"1"}', undefined, 400, 'body_invalid'],
    ['a poisoned prototype', '/echo', '{"__proto__":{"count":1}}', undefined, 400, 'body_invalid'],
    [
      'a body over 64 KiB',
      '/echo',
      JSON.stringify({ count: 1, x: 'x'.repeat(65_536) }),
      undefined,
      413,
      'body_too_large',
    ],
    ['another media type', '/echo', 'count=1', 'application/x-www-form-urlencoded', 415, 'media_type_unsupported'],
    ['a route that does not exist', '/nowhere', '{}', undefined, 404, 'route_not_found'],
  ])('for %s is answered with a problem+json', async (_, url, payload, contentType, status, code) => {
    const answered = await answer(url, payload, contentType);
    expect(answered).toMatchObject({ status, body: { status, code } });
    expect(answered.headers['content-type']).toMatch(/^application\/problem\+json/);
  });
});
