import { startProcessSpan, tracer } from '@curfew/telemetry';
import { startTelemetry, type Telemetry } from '@curfew/telemetry/start';
import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { openSpanSink } from '../../support/span-sink.ts';

const sink = await openSpanSink();
let telemetry: Telemetry | undefined;
afterEach(() => vi.unstubAllEnvs());
afterAll(() => sink.close());

test('samples and exports as the environment says: here one trace in a hundred, and whatever a sampled event caused', async () => {
  const sampling = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' };
  for (const [name, value] of Object.entries({ ...sink.environment, ...sampling })) vi.stubEnv(name, value);
  telemetry = startTelemetry('sampling-test');
  const requests = Array.from({ length: 10_000 }, () => tracer().startSpan('request'));
  const sampled = requests.filter((span) => span.isRecording());
  expect(sampled.length).toBeGreaterThan(50);
  expect(sampled.length).toBeLessThan(200);

  const caused = (traceFlags: number) => {
    const remote = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags,
      isRemote: true,
    };
    return startProcessSpan({ topic: 't' }, trace.setSpanContext(ROOT_CONTEXT, remote), `caused ${traceFlags}`);
  };
  expect(caused(TraceFlags.NONE).isRecording()).toBe(false);
  const event = caused(TraceFlags.SAMPLED);
  expect(event.isRecording()).toBe(true);
  event.end();
  await telemetry.shutdown();
  expect(sink.text()).toContain('"name":"caused 1"');
  expect(sink.text()).not.toContain('"name":"caused 0"');
});
