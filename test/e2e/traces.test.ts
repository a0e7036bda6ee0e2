import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { inRoot } from '../../infra/local/paths.mjs';
import { assertFree, freePort } from '../../infra/local/ports.mjs';
import { startProcess } from '../../infra/local/processes.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { startZipkin } from '../../infra/local/zipkin.mjs';

/** A span as Zipkin gives it (its API v2); `name` in small letters. */
interface ZipkinSpan {
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly localEndpoint: { readonly serviceName: string };
  readonly tags: Readonly<Record<string, string>>;
}

const { brokers, redisUrl } = inject('stack');
const directory = mkdtempSync(join(tmpdir(), 'curfew-traces-'));
afterAll(() => removeDirectory(directory));

/** Maven may have to fetch Zipkin first. */
const LIMIT_MS = 300_000;

async function start(name: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const log = join(directory, `${name}.log`);
  const existing = { CURFEW_KAFKA_BROKERS: brokers.join(','), CURFEW_REDIS_URL: redisUrl, ...environment };
  const run = await startProcess({
    name,
    command: process.execPath,
    args: [inRoot('infra/local/start.mjs'), '--traces', '--free-ports', ...args],
    env: { ...process.env, ...existing },
    log,
  });
  return { ...run, output: () => readFileSync(log, 'utf8') };
}

describe(
  'npm start -- --traces --once',
  () => {
    let zipkin: Awaited<ReturnType<typeof startZipkin>>;
    let traces: readonly (readonly ZipkinSpan[])[];

    beforeAll(async () => {
      zipkin = await startZipkin({ port: await freePort(), directory });
      // So that no span is sent before the end.
      const late = { OTEL_BSP_SCHEDULE_DELAY: '60000' };
      const run = await start('once', ['--once'], { CURFEW_ZIPKIN_URL: zipkin.url, ...late });
      expect(await run.ended, run.output()).toBe('exit code 0');
      const found = await fetch(`${zipkin.url}/api/v2/traces?limit=10000`);
      traces = (await found.json()) as typeof traces;
    }, LIMIT_MS);
    afterAll(() => zipkin?.stop());

    /** The span of a service, once in the trace, and what it is a child of. */
    function placeOf(trace: readonly ZipkinSpan[], service: string, name: string) {
      const places = trace
        .filter((span) => span.name === name && span.localEndpoint.serviceName === service)
        .map(({ parentId }) => {
          const parent = trace.find(({ id }) => id === parentId);
          return parent && `${parent.localEndpoint.serviceName}: ${parent.name}`;
        });
      expect(places, `${service}: ${name}`).toHaveLength(1);
      return places[0];
    }

    test('leaves a trace from the password change to the first request that each service rejects', () => {
      const routeOf = ({ tags }: ZipkinSpan) => tags['http.route'];
      const [trace = []] = traces
        .filter((spans) => spans.some((span) => routeOf(span) === '/v1/password-changed'))
        .filter((spans) => spans.some(({ name }) => name === 'first rejection'));
      expect(placeOf(trace, 'identity-publisher', 'post /v1/password-changed')).toBeUndefined();
      expect(placeOf(trace, 'identity-publisher', 'send curfew.account-events')).toBe(
        'identity-publisher: post /v1/password-changed',
      );
      expect(placeOf(trace, 'session-service', 'process curfew.account-events')).toBe(
        'identity-publisher: send curfew.account-events',
      );
      for (const name of ['evalsha', 'send curfew.session-versions'])
        expect(placeOf(trace, 'session-service', name)).toBe('session-service: process curfew.account-events');
      for (const service of ['orders', 'payments']) {
        expect(placeOf(trace, service, 'apply session version')).toBe('session-service: send curfew.session-versions');
        expect(placeOf(trace, service, 'first rejection')).toBe(`${service}: apply session version`);
      }
      expect(trace).toHaveLength(9);
    });

    test('leaves traces of requests whose every span tells the session, in both services that authenticate it', () => {
      const [order = []] = traces.filter((spans) =>
        spans.some(({ tags }) => tags['http.route'] === '/orders' && tags['http.request.method'] === 'POST'),
      );
      expect(order.map(({ localEndpoint, name }) => `${localEndpoint.serviceName}: ${name}`).sort()).toEqual([
        'orders: post',
        'orders: post /orders',
        'payments: post /payments',
      ]);
      const told = order.map(({ tags }) => [tags['curfew.session'], tags['curfew.session.version']].join(' '));
      expect(new Set(told)).toEqual(new Set([expect.stringMatching(/^[0-9a-f]{16} \d+$/)]));
    });

    test('has nothing of what probes, scrapers and the console ask again and again', () => {
      const names = [...new Set(traces.flat().map(({ name }) => name))];
      expect(names).toContain('get /orders');
      expect(names.filter((name) => /healthz|readyz|metrics|sidecars|revocations/.test(name))).toEqual([]);
    });
  },
  LIMIT_MS,
);

describe('npm start -- --traces', () => {
  test('shows where its Zipkin is, and ends it with the stack', { timeout: LIMIT_MS }, async () => {
    const { pid, output, ended } = await start('stays', [], { CURFEW_ZIPKIN_URL: '' });
    await vi.waitFor(() => expect(output()).toContain('Ctrl-C ends all of it.'), { timeout: LIMIT_MS, interval: 100 });
    const [, port = ''] = /^Zipkin +http:\/\/127\.0\.0\.1:(\d+)$/m.exec(output()) ?? [];
    await vi.waitFor(
      async () =>
        expect(await (await fetch(`http://127.0.0.1:${port}/api/v2/services`)).json()).toEqual([
          'identity-publisher',
          'orders',
          'payments',
          'session-service',
        ]),
      { timeout: 10_000 },
    );
    // Nobody authenticates there: only the caller can have told whose request it is.
    const [, orders = ''] = /^orders +(http:\/\/127\.0\.0\.1:\d+)$/m.exec(output()) ?? [];
    const told = { 'curfew.session': '68b0aa9467b7856d', 'curfew.session.version': '7' };
    const baggage = Object.entries(told).map((entry) => entry.join('='));
    await fetch(`${orders}/catalog`, { headers: { baggage: baggage.join(',') } });
    const catalog = `http://127.0.0.1:${port}/api/v2/traces?serviceName=orders&spanName=get%20%2Fcatalog`;
    await vi.waitFor(
      async () => expect(await (await fetch(catalog)).json()).toMatchObject([[{ name: 'get /catalog', tags: told }]]),
      { timeout: 10_000 },
    );
    process.kill(pid, 'SIGTERM');
    expect(await ended, output()).toBe('exit code 0');
    await assertFree({ Zipkin: Number(port) });
  });
});
