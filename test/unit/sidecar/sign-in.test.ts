import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createSidecar, type Sidecar } from '@curfew/sidecar';
import { afterEach, expect, test, vi } from 'vitest';

let sidecar: Sidecar | undefined;
let server: Server | undefined;

afterEach(async () => {
  await sidecar?.close();
  server?.close();
});

test('a broker that breaks the connection off during the sign-in ends no process: the sidecar goes on trying', async () => {
  let tries = 0;
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      tries++;
      socket.resetAndDestroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  sidecar = createSidecar({
    brokers: [`127.0.0.1:${(server.address() as AddressInfo).port}`],
    sasl: { mechanism: 'PLAIN', username: 'sidecar', password: 'secret' },
    issuer: 'http://127.0.0.1:9',
    audience: 'shop',
    service: 'orders',
  });
  sidecar.start().catch(() => {});
  await vi.waitFor(() => expect(tries).toBeGreaterThan(5), { timeout: 5000 });
  expect(sidecar.notReady()[0]).toContain('Kafka does not answer');
});
