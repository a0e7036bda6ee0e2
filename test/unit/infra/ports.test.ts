import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { assertFree, freePorts } from '../../../infra/local/ports.mjs';

test('free ports are free, and different', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
  await assertFree(Object.fromEntries(ports.map((port) => [`service ${port}`, port])));
});

test('every port in use is named, with who wants it', async () => {
  const servers = [createServer(), createServer()];
  await Promise.all(servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
  const [kafka = 0, orders = 0] = servers.map((server) => (server.address() as AddressInfo).port);
  const [free = 0] = await freePorts(1);
  try {
    await expect(assertFree({ Kafka: kafka, Redis: free, orders })).rejects.toThrow(
      `127.0.0.1:${kafka} (Kafka), 127.0.0.1:${orders} (orders).`,
    );
  } finally {
    for (const server of servers) server.close();
  }
});
