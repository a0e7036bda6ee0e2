import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createKafka, createPublisher, type Publisher } from '@curfew/publisher';
import { afterEach, describe, expect, test } from 'vitest';

const LIMIT_MS = 300;
/** What a test leaves for timers and a busy machine. */
const SLACK_MS = 500;

let publisher: Publisher | undefined;
let server: Server | undefined;

afterEach(async () => {
  await publisher?.close();
  server?.close();
});

async function listen(): Promise<number> {
  server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function startedOn(port: number): Promise<Publisher> {
  publisher = createPublisher({ brokers: [`127.0.0.1:${port}`], issuer: 'i', publishTimeoutMs: LIMIT_MS });
  await publisher.start();
  return publisher;
}

async function timed(work: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work;
  return performance.now() - started;
}

describe.each([
  [
    'no one listens',
    async () => {
      const port = await listen();
      server?.close();
      return port;
    },
  ],
  ['someone listens who never answers', listen],
])('where %s', (_, portOf) => {
  test('start returns, and readiness says what is missing', async () => {
    const port = await portOf();
    expect(await timed(startedOn(port))).toBeLessThan(LIMIT_MS + SLACK_MS);
    expect(publisher?.notReady()).toEqual([expect.stringMatching(/^Kafka /)]);
  });

  test('an event fails with bus_unavailable within its limit', async () => {
    const started = await startedOn(await portOf());
    const failed = expect(started.passwordChanged({ subject: 'alice' })).rejects.toMatchObject({
      code: 'bus_unavailable',
    });
    expect(await timed(failed)).toBeLessThan(LIMIT_MS + SLACK_MS);
  });

  test('close returns within the limit, and is one promise for everybody', async () => {
    const started = await startedOn(await portOf());
    const closing = started.close();
    expect(started.close()).toBe(closing);
    expect(await timed(closing)).toBeLessThan(LIMIT_MS + SLACK_MS);
  });
});

test('a closed publisher publishes nothing, and a second start does not wake it', async () => {
  const closed = await startedOn(await listen());
  await closed.close();
  await closed.start();
  expect(closed.notReady()).toEqual(['the publisher is closed']);
  await expect(closed.accountEnabled({ subject: 'bob' })).rejects.toMatchObject({ code: 'bus_unavailable' });
});

test('kafkajs sets no timer for an empty request queue: its delay would be negative', () => {
  createKafka({ brokers: ['127.0.0.1:1'], clientId: 'test' });
  const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue');
  const queue = new RequestQueue({ maxInFlightRequests: 0, logger: { debug: () => {} } });
  queue.checkPendingRequests();
  expect(queue.throttleCheckTimeoutId).toBeNull();

  queue.push({ entry: { correlationId: 1 }, expectResponse: true });
  expect(queue.throttleCheckTimeoutId).not.toBeNull();
  queue.destroy();
});
