import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from '@curfew/http';
import { contextOfSession, tracer } from '@curfew/telemetry';
import { startTelemetry } from '@curfew/telemetry/start';
import { context } from '@opentelemetry/api';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { sessionBaggage } from '../../../libs/telemetry/src/session-baggage.ts';
import { openSpanSink } from '../../support/span-sink.ts';

/** printf 8a2f | sha256sum */
const TOLD = 'curfew.session=68b0aa9467b7856d,curfew.session.version=7';
const SESSION = { sid: '8a2f', versions: { s: 7 } };

/** Says which baggage each request brings. */
const server = createServer(({ headers }, response) => response.end(headers['baggage'] ?? 'none'));
await new Promise<void>((resolve) => server.listen(0, resolve));
const { port } = server.address() as AddressInfo;

const sink = await openSpanSink();
for (const [name, value] of Object.entries(sink.environment)) vi.stubEnv(name, value);
vi.stubEnv('CURFEW_BAGGAGE_HOSTS', 'payments, 127.0.0.1');
const telemetry = startTelemetry('session-baggage-test');

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await telemetry.shutdown();
  await sink.close();
  vi.unstubAllEnvs();
});

const toldTo = async (host: string) => (await fetch(`http://${host}:${port}/`)).text();
const inRequest = <T>(work: () => Promise<T>) =>
  tracer().startActiveSpan('request', (request) =>
    context.with(contextOfSession(SESSION) ?? context.active(), work).finally(() => request.end()),
  );

describe("a request's session", () => {
  test('is told to the hosts that are named, and to no other', async () => {
    expect(await inRequest(() => toldTo('127.0.0.1'))).toBe(TOLD);
    expect(await inRequest(() => toldTo('localhost'))).toBe('none');
    expect(await toldTo('127.0.0.1')).toBe('none');
  });

  test('that a caller told goes on to the same hosts, and what others told to all', async () => {
    const app = await createApp({ name: 'test', logLevel: 'silent', notReady: () => [], telemetry });
    app.get('/', async () => [await toldTo('127.0.0.1'), await toldTo('localhost')]);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const reply = await app.inject({ url: '/', headers: { traceparent, baggage: `shop=7,${TOLD}` } });
    await app.close();
    expect(reply.json()).toEqual([`${TOLD}, shop=7`, 'shop=7']);
  });

  test.each([
    ['.shop.test', ['payments.shop.test', 'payments.eu.shop.test']],
    ['payments', ['payments']],
    ['', []],
    [undefined, []],
  ])('where %s is named is told to %j', async (hosts, expected) => {
    vi.stubEnv('CURFEW_BAGGAGE_HOSTS', hosts);
    const tell = sessionBaggage();
    const told: string[] = [];
    await inRequest(async () => {
      for (const host of [
        'payments',
        'payments.shop.test',
        'payments.eu.shop.test',
        'shop.test',
        'evilshop.test',
        'evil-payments',
      ])
        tell(undefined, { origin: `https://${host}:8443`, addHeader: () => told.push(host) });
    });
    expect(told).toEqual(expected);
  });
});
