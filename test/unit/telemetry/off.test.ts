import { contextHeaders, contextOfHeaders, startProcessSpan, startSendSpan, tracer } from '@curfew/telemetry';
import { startTelemetry, type Telemetry } from '@curfew/telemetry/start';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';

const SWITCHES = ['OTEL_TRACES_EXPORTER', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];

let telemetry: Telemetry | undefined;

afterEach(() => vi.unstubAllEnvs());
afterAll(() => telemetry?.shutdown());

function expectNothingRecorded() {
  const send = startSendSpan({ topic: 'curfew.account-events' });
  expect(send.isRecording()).toBe(false);
  expect(contextHeaders(send)).toEqual({});
  expect(contextHeaders()).toEqual({});
  expect(tracer().startSpan('request').isRecording()).toBe(false);
  expect(
    startProcessSpan(
      { topic: 't' },
      contextOfHeaders(() => undefined),
    ).isRecording(),
  ).toBe(false);
}

describe('telemetry that is off', () => {
  test('records no span and adds no header, in a process that never started it', () => {
    expectNothingRecorded();
  });

  test('records no span and adds no header, where no exporter of traces is named', () => {
    for (const name of SWITCHES) vi.stubEnv(name, undefined);
    telemetry = startTelemetry('test');
    expectNothingRecorded();
  });

  test('records no span for a record that brings the context of a trace', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const brought = contextOfHeaders((name) => (name === 'traceparent' ? traceparent : undefined));
    expect(startProcessSpan({ topic: 't' }, brought).isRecording()).toBe(false);
  });
});
