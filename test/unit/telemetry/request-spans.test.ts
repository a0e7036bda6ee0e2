import { createApp } from '@curfew/http';
import { tracer } from '@curfew/telemetry';
import { startTelemetry, type Telemetry } from '@curfew/telemetry/start';
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { openSpanSink } from '../../support/span-sink.ts';

const sink = await openSpanSink();
afterAll(() => sink.close());

const REQUESTS = 2000;
const caller = (flags: string) => ({ traceparent: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${flags}` });

let telemetry: Telemetry;
let app: Awaited<ReturnType<typeof createApp>>;

async function serve(environment: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries({ ...sink.environment, ...environment })) vi.stubEnv(name, value);
  telemetry = startTelemetry('request-spans-test');
  app = await createApp({ name: 'test', logLevel: 'silent', notReady: () => [], telemetry });
  app.get('/users/:name', (_request, reply) => {
    tracer().startSpan('inside').end();
    return reply.code(200).send({});
  });
  app.get('/broken', (_request, reply) => reply.code(503).send({}));
}
async function ended(): Promise<string> {
  await app.close();
  await telemetry.shutdown();
  return sink.text();
}

afterEach(() => {
  vi.unstubAllEnvs();
  // So that the next SDK is the one that is asked.
  for (const api of [trace, context, propagation, metrics]) api.disable();
});

const count = (text: string, name: string) => text.split(`"name":"${name}"`).length - 1;

describe('requests', () => {
  test('are spans by method and route, their names and paths left out', async () => {
    await serve({});
    await app.inject('/users/alice');
    await app.inject('/broken');
    await app.inject('/nowhere/alice');
    await app.inject('/readyz');
    const text = await ended();
    expect([
      count(text, 'GET /users/:name'),
      count(text, 'GET /broken'),
      count(text, 'GET'),
      count(text, 'inside'),
    ]).toEqual([1, 1, 1, 1]);
    expect(text).not.toContain('alice');
    expect(text).not.toContain('readyz');
    expect(text).toContain('"code":2');
    expect(text).toContain('"key":"http.response.status_code","value":{"intValue":503}');
  });

  test('are traced by share, and those of which their caller has decided as it has', async () => {
    const before = sink.text();
    await serve({ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.05' });
    for (let i = 0; i < REQUESTS; i++) await app.inject('/users/bob');
    for (const flags of ['00', '01']) await app.inject({ url: '/broken', headers: caller(flags) });
    const text = (await ended()).slice(before.length);
    const traced = count(text, 'GET /users/:name');
    expect(traced).toBeGreaterThan(REQUESTS * 0.02);
    expect(traced).toBeLessThan(REQUESTS * 0.1);
    expect(count(text, 'inside')).toBeGreaterThanOrEqual(traced);
    expect(count(text, 'GET /broken')).toBe(1);
  });
});
