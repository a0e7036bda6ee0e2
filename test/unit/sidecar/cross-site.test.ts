import { connect } from 'node:http2';
import { createServer, request } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { protect } from '@curfew/sidecar/express';
import { curfew } from '@curfew/sidecar/fastify';
import express from 'express';
import fastify, { type FastifyInstance } from 'fastify';
import { generate } from 'selfsigned';
import { describe, expect, test } from 'vitest';
import { isFromThisSite } from '../../../libs/sidecar/src/cookie.ts';
import { verifiedToken } from '../../../libs/sidecar/src/session.ts';
import { CLAIMS, NOW } from './issuer.ts';

const alice = verifiedToken(CLAIMS).accepted.memory;
/** Lets everybody in who gets as far. */
const sidecar = {
  boundOf: () => 0,
  authenticate: () => alice,
  authenticateCookie: () => alice,
  turnedAway: () => {},
  now: () => NOW,
};
const COOKIE = { cookie: '__Host-session=abc' };

describe('a WebSocket with a cookie', () => {
  const WEBSOCKET = { connection: 'Upgrade', upgrade: 'websocket' };

  test.each([
    ['this host', { ...WEBSOCKET, origin: 'https://shop.test' }, 200],
    ['this host, as the browser says', { ...WEBSOCKET, 'sec-fetch-site': 'same-origin' }, 200],
    ['another origin', { ...WEBSOCKET, origin: 'https://evil.test' }, 403],
    ['another site, as the browser says', { ...WEBSOCKET, 'sec-fetch-site': 'cross-site' }, 403],
    ['nowhere that it says', WEBSOCKET, 403],
    ['nowhere, in capitals and beside another protocol', { ...WEBSOCKET, upgrade: 'h2c, WebSocket' }, 403],
    ['nowhere, but for a newer HTTP alone', { ...WEBSOCKET, upgrade: 'h2c' }, 200],
    ['another origin, as a browser opens it', { 'sec-fetch-mode': 'websocket', origin: 'https://evil.test' }, 403],
  ])('is opened by a GET, and only from this site: %s, %o, %i', async (_name, headers, status) => {
    const app = fastify();
    await app.register(curfew, { sidecar });
    app.get('/', ({ session }) => session.subject);
    expect((await app.inject({ url: '/', headers: { host: 'shop.test', ...COOKIE, ...headers } })).statusCode).toBe(
      status,
    );
  });

  test('is told apart from a link on another site', () => {
    const headers = { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' };
    expect(isFromThisSite({ method: 'GET', headers }, [])).toBe(true);
  });
});

test('the host of a request over HTTP/2 is its authority', () => {
  const headers = { origin: 'https://shop.test', ':authority': 'shop.test' };
  expect(isFromThisSite({ method: 'POST', headers }, [])).toBe(true);
  const evil = { ...headers, origin: 'https://evil.test' };
  expect(isFromThisSite({ method: 'POST', headers: evil }, [])).toBe(false);
});

describe('a POST with a cookie over TLS', async () => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'shop.test' }], { keyType: 'ec' });
  const tls = { ca: cert, servername: 'shop.test' };

  /** The status that a POST with an origin is answered with. */
  type Post = (port: number, origin: string) => Promise<number | undefined>;

  const overHttp1: Post = (port, origin) => {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const headers = { host: 'shop.test', origin, ...COOKIE };
    request({ ...tls, port, method: 'POST', headers, agent: false }, (reply) => resolve(reply.resume().statusCode))
      .once('error', reject)
      .end();
    return promise;
  };

  const overHttp2: Post = async (port, origin) => {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const session = connect(`https://localhost:${port}`, tls).once('error', reject);
    session
      .request({ ':method': 'POST', ':authority': 'shop.test', origin, ...COOKIE })
      .once('response', (reply) => resolve(reply[':status']))
      .end();
    return promise.finally(() => session.destroy());
  };

  const onFastify = async (app: FastifyInstance) => {
    await app.register(curfew, { sidecar });
    app.post('/', ({ session }) => session.subject);
    await app.ready();
    return app.server;
  };
  const onExpress = () => {
    const app = express();
    app.post('/', protect(sidecar), ({ session }, response) => void response.json(session.subject));
    return createServer({ cert, key }, app);
  };

  test.each<[string, () => Server | Promise<Server>, Post]>([
    ['Fastify', () => onFastify(fastify({ https: { cert, key } })), overHttp1],
    ['Fastify, by HTTP/2', () => onFastify(fastify({ http2: true, https: { cert, key } }) as never), overHttp2],
    ['Express', onExpress, overHttp1],
  ])('must come from this host over TLS too, on %s', async (_name, start, post) => {
    const server = await start();
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      expect(await post(port, 'https://shop.test')).toBe(200);
      expect(await post(port, 'http://shop.test')).toBe(403);
    } finally {
      server.close();
    }
  });

  test('may be one behind a proxy, where nobody knows how it came', () => {
    for (const origin of ['https://shop.test', 'http://shop.test'])
      expect(isFromThisSite({ method: 'POST', headers: { host: 'shop.test', origin }, socket: {} }, [])).toBe(true);
  });
});
