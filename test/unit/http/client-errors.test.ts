import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { ERRORS, type ErrorCode } from '@curfew/contracts';
import { createApp } from '@curfew/http';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const app = await createApp({ name: 'test', logLevel: 'silent', notReady: () => [] });
let port: number;

beforeAll(async () => {
  app.get('/things/:id', { schema: { params: Type.Object({ id: Type.String() }) } }, ({ params }) => params);
  await app.listen({ host: '127.0.0.1', port: 0 });
  port = (app.server.address() as AddressInfo).port;
});
afterAll(() => app.close());

/** What comes back for these bytes, up to the end of the connection: status line, headers, body. */
async function answer(request: string) {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  socket.write(request);
  await once(socket, 'close');
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [status, ...headers] = head.split('\r\n');
  return { status: Number(status?.split(' ')[1]), headers: headers.map((one) => one.toLowerCase()), body };
}

const get = (path: string, header = 'x: y') =>
  `GET ${path} HTTP/1.1\r\nHost: curfew\r\nConnection: close\r\n${header}\r\n\r\n`;

describe('a request that never reaches a route', () => {
  test.each<[string, string, ErrorCode]>([
    [
      'with a bearer of 20,000 characters',
      get('/healthz', `Authorization: Bearer ${'a'.repeat(20_000)}`),
      'headers_too_large',
    ],
    // More than a socket takes at once: an answer before the last byte is read could be lost.
    [
      'with a bearer of 5,000,000 characters',
      get('/healthz', `Authorization: Bearer ${'a'.repeat(5e6)}`),
      'headers_too_large',
    ],
    ['with an address that is not encoded', get('/things/%zz'), 'request_invalid'],
    ['with an id that is too long', get(`/things/${'a'.repeat(3000)}`), 'request_invalid'],
    ['with a method that HTTP does not have', get('/healthz').replace('GET', 'FETCH'), 'request_invalid'],
    ['that is not HTTP', '\x16\x03\x01\r\n\r\n', 'request_invalid'],
  ])('%s is answered with a problem+json, and the connection ends', async (_, request, code) => {
    const { status, headers, body } = await answer(request);
    expect(status).toBe(ERRORS[code].status);
    expect(headers).toContainEqual(expect.stringMatching(/^content-type: application\/problem\+json/));
    expect(headers).toContain('connection: close');
    expect(JSON.parse(body)).toMatchObject({ type: 'about:blank', ...ERRORS[code], code });
  });

  test('while one with the longest id that an account may have reaches its route', async () => {
    const id = '€'.repeat(256);
    const { status, body } = await answer(get(`/things/${encodeURIComponent(id)}`));
    expect({ status, body: JSON.parse(body) }).toEqual({ status: 200, body: { id } });
  });
});
