import type { IncomingMessage, ServerResponse } from 'node:http';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { OPEN_METRICS, openMetrics } from './open-metrics.ts';
import { requestShare, samplerOf, traceRequests } from './request-spans.ts';
import { sessionBaggage } from './session-baggage.ts';
import { sessionSpans } from './session-spans.ts';
import { spanExporters } from './span-exporters.ts';

/** A started telemetry SDK. */
export interface Telemetry {
  /**
   * Answers a scrape with all metrics of this process: in OpenMetrics, with exemplars, where it takes that, as Prometheus
   * does; otherwise in Prometheus' text format.
   */
  serveMetrics(request: IncomingMessage, response: ServerResponse): void;
  /** Sends what is still queued, and stops. */
  shutdown(): Promise<void>;
}

const TRACE_SWITCHES = ['OTEL_TRACES_EXPORTER', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];

/**
 * Starts OpenTelemetry for a service; call it before anything creates a server. Metrics are kept for scraping; traces
 * are recorded only where OpenTelemetry's own environment variables name an exporter, so that off costs nothing.
 * `OTEL_METRICS_EXPORTER` changes nothing: the SDK reads it only where it is given no reader of metrics, and `/metrics`
 * is one. A collector takes metrics by scraping (its `prometheus` receiver).
 *
 * @param serviceName `service.name`, unless `OTEL_SERVICE_NAME` says another.
 * @param options.traces false: none, whatever the environment says.
 */
export function startTelemetry(serviceName: string, { traces = true } = {}): Telemetry {
  const tracing =
    traces && TRACE_SWITCHES.some((name) => process.env[name]) && process.env['OTEL_TRACES_EXPORTER'] !== 'none';
  const share = requestShare();
  const prometheus = new PrometheusExporter({ preventServerStart: true });
  const sdk = new NodeSDK({
    serviceName: process.env['OTEL_SERVICE_NAME'] ?? serviceName,
    metricReaders: [prometheus],
    logRecordProcessors: [],
    instrumentations: tracing
      ? [
          new UndiciInstrumentation({
            // A request that is not traced calls others without a trace of their own.
            requireParentforSpans: true,
            requestHook: sessionBaggage(),
            startSpanHook: ({ origin }) => ({ 'url.full': origin, 'url.path': '', 'url.query': '' }),
          }),
        ]
      : [],
    ...(share === undefined ? {} : { sampler: samplerOf(share) }),
    spanProcessors: tracing ? [sessionSpans, ...spanExporters()] : [],
  });
  sdk.start();
  const stopTracing = tracing ? traceRequests(share) : () => {};
  return {
    serveMetrics: (request, response) => {
      if (request.headers.accept?.includes('application/openmetrics-text'))
        serveOpenMetrics(prometheus, response).catch(() => response.destroy());
      else prometheus.getMetricsRequestHandler(request, response);
    },
    shutdown: () => {
      stopTracing();
      return sdk.shutdown();
    },
  };
}

async function serveOpenMetrics(prometheus: PrometheusExporter, response: ServerResponse): Promise<void> {
  const { resourceMetrics } = await prometheus.collect();
  const text = new PrometheusSerializer().serialize(resourceMetrics);
  response.setHeader('content-type', OPEN_METRICS).end(openMetrics(text));
}
