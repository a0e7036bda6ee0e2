import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { histogramWithExemplars, SCOPE_NAME, tracer } from '@curfew/telemetry';
import { startTelemetry, type Telemetry } from '@curfew/telemetry/start';
import { metrics, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

let telemetry: Telemetry;
const server = createServer((request, response) => telemetry.serveMetrics(request, response));
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const within = (spanId: string, traceFlags = TraceFlags.SAMPLED) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE_ID, spanId, traceFlags });

beforeAll(async () => {
  vi.stubEnv('OTEL_TRACES_EXPORTER', 'to-nobody');
  telemetry = startTelemetry('open-metrics-test');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const histogram = histogramWithExemplars('curfew.test.duration', [0.5, 1], { description: 'How "long"', unit: 's' });
  histogram.record(0.4, { hop: 'fold', canary: false }, within('00000000000000a1'));
  histogram.record(0.5, { hop: 'fold', canary: false }, within('00000000000000a2'));
  histogram.record(0.3, { hop: 'fold', canary: false }, within('00000000000000a3', TraceFlags.NONE));
  histogram.record(0.7, { hop: 'fold', canary: false });
  histogram.record(7, { hop: 'announce', canary: true }, within('00000000000000a4'));
  metrics.getMeter(SCOPE_NAME).createCounter('curfew.test.events', { description: 'Events' }).add(3, { kind: 'a' });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
  await telemetry.shutdown();
});

async function scrape(accept: string) {
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { accept } });
  return { type: answer.headers.get('content-type'), text: await answer.text() };
}

/** As Prometheus 2 asks. */
const PROMETHEUS = 'application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.6,*/*;q=0.5';
const ofTest = (text: string, name: string) =>
  text
    .split('\n')
    .filter((line) => line.includes(name))
    .map((line) => line.replace('otel_scope_name="curfew",', '').replace(',otel_scope_name="curfew"', ''));

describe('a scrape in OpenMetrics', () => {
  test('names in each bucket of such a histogram the newest measurement of a sampled trace', async () => {
    const { type, text } = await scrape(PROMETHEUS);
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const buckets = ofTest(text, 'curfew_test_duration_bucket');
    const at = String.raw`\d+(\.\d+)?`;
    expect(buckets).toEqual([
      expect.stringMatching(
        `^curfew_test_duration_bucket{hop="fold",canary="false",le="0.5"} 3 # {trace_id="${TRACE_ID}",span_id="00000000000000a2"} 0.5 ${at}$`,
      ),
      'curfew_test_duration_bucket{hop="fold",canary="false",le="1"} 4',
      'curfew_test_duration_bucket{hop="fold",canary="false",le="+Inf"} 4',
      'curfew_test_duration_bucket{hop="announce",canary="true",le="0.5"} 0',
      'curfew_test_duration_bucket{hop="announce",canary="true",le="1"} 0',
      expect.stringMatching(
        `^curfew_test_duration_bucket{hop="announce",canary="true",le="\\+Inf"} 1 # {trace_id="${TRACE_ID}",span_id="00000000000000a4"} 7 ${at}$`,
      ),
    ]);
  });

  test('calls families as OpenMetrics wants it, and ends', async () => {
    const { text } = await scrape(PROMETHEUS);
    expect(ofTest(text, 'curfew_test_events')).toEqual([
      '# HELP curfew_test_events Events',
      '# TYPE curfew_test_events counter',
      'curfew_test_events_total{kind="a"} 3',
    ]);
    expect(ofTest(text, '# ').filter((line) => line.startsWith('# UNIT'))).toEqual([]);
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect(text).not.toContain('\n\n');
  });

  test('takes the span that is active where it is told no other', async () => {
    const histogram = histogramWithExemplars('curfew.test.active', [1], {});
    const span = tracer().startActiveSpan('work', (active) => {
      histogram.record(0.5);
      active.end();
      return active;
    });
    const { spanId } = span.spanContext();
    expect((await scrape(PROMETHEUS)).text).toContain(`span_id="${spanId}"} 0.5 `);
  });
});

test("a scrape in Prometheus' text has no exemplars", async () => {
  const { type, text } = await scrape('text/plain');
  expect(type).toContain('text/plain');
  expect(text).toContain('# TYPE curfew_test_events_total counter');
  expect(text).not.toContain(TRACE_ID);
});
