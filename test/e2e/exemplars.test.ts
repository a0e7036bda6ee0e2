import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { NO_PROMETHEUS, onPath } from '../../infra/local/programs.mjs';
import { call } from '../support/client.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { type Services, startServices } from '../support/services.ts';
import { openSpanSink, type SpanSink } from '../support/span-sink.ts';

const noPrometheus = !onPath('prometheus');
if (noPrometheus) console.warn(NO_PROMETHEUS);

describe.skipIf(noPrometheus)('the duration of the propagation, as Prometheus scrapes it', () => {
  let sink: SpanSink;
  let services: Services;
  let prometheus: Prometheus;

  beforeAll(async () => {
    sink = await openSpanSink();
    const { environment } = sink;
    const names = ['session-service', 'identity-publisher', 'orders', 'payments'];
    const traced = Object.fromEntries(names.map((name) => [name, { ...environment, CURFEW_CANARY_INTERVAL_MS: '0' }]));
    services = await startServices(inject('stack'), true, traced);
    prometheus = await startPrometheus(services.urls);
  });
  afterAll(async () => {
    await prometheus?.stop();
    await services?.stop();
    sink?.close();
  });

  test.each([
    ['at the sidecars', 'hop=""', 'apply session version', 2],
    ['at the session service', 'hop=~"fold|announce"', 'process curfew.account-events', 1],
  ])('leads to the trace of an event, to its span %s', async (_where, hop, name, atLeast) => {
    const url = `${services.urls['identity-publisher']}/v1/password-changed`;
    expect((await call('POST', url, { as: 'identity', body: { subject: randomUUID() } })).status).toBe(202);
    const found = () => prometheus.exemplars(`curfew_propagation_duration_bucket{${hop}}`);
    await expect.poll(async () => (await found()).length, { timeout: 15_000 }).toBeGreaterThanOrEqual(atLeast);
    for (const { trace_id, span_id } of await found())
      await expect
        .poll(() => sink.text())
        .toMatch(new RegExp(`"traceId":"${trace_id}","spanId":"${span_id}"[^{}]*"name":"${name}"`));
  });
});
