import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { createSidecar, type Sidecar } from '@curfew/sidecar';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { authority, signedBy } from '../../support/certificates.ts';

/** What clients ask for before they have said anything else (SNI, RFC 6066); undefined: nothing. */
const asked: (string | undefined)[] = [];
let server: Server;
let ca: string;

beforeAll(async () => {
  const ours = await authority();
  ca = ours.cert;
  server = createServer(await signedBy(ours, 'localhost'), (socket) => {
    const { servername } = socket as { servername?: string | false };
    asked.push(servername || undefined);
    socket.on('error', () => {});
    socket.destroy();
  }).listen(0);
  await once(server, 'listening');
});
afterAll(() => server.close());

test.each([
  ['kafka', 'localhost', 'localhost'],
  ['kafka', '127.0.0.1', undefined],
  ['redis', 'localhost', 'localhost'],
  ['redis', '127.0.0.1', undefined],
])('%s at %s is asked for %s: many may share an address, and an address is no name', async (which, host, name) => {
  const { port } = server.address() as AddressInfo;
  const nowhere = { brokers: ['127.0.0.1:1'] };
  const sidecar: Sidecar = createSidecar({
    ...(which === 'kafka'
      ? { brokers: [`${host}:${port}`], tls: { ca } }
      : { ...nowhere, redisUrl: `rediss://${host}:${port}`, redisSecurity: { tls: { ca } } }),
    issuer: 'http://127.0.0.1:9',
    audience: 'shop',
    service: 'orders',
  });
  asked.length = 0;
  sidecar.start().catch(() => {});
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(0), { timeout: 5000 });
  expect(asked[0]).toBe(name);
  await sidecar.close();
});
