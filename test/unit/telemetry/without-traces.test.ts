import { tracer } from '@curfew/telemetry';
import { startTelemetry } from '@curfew/telemetry/start';
import { expect, test, vi } from 'vitest';

test('a service that makes no traces makes none, although an exporter is named', async () => {
  vi.stubEnv('OTEL_TRACES_EXPORTER', 'console');
  const telemetry = startTelemetry('console', { traces: false });
  try {
    expect(tracer().startSpan('request').isRecording()).toBe(false);
  } finally {
    await telemetry.shutdown();
    vi.unstubAllEnvs();
  }
});
