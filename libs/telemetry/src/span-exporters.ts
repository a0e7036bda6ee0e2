import { getNumberFromEnv, getStringFromEnv, getStringListFromEnv } from '@opentelemetry/core';
import { OTLPTraceExporter as OtlpGrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as OtlpJsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as OtlpProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';

/**
 * The exporters of spans that OpenTelemetry's environment variables name, each behind a queue of its own. The SDK makes
 * them itself only where it is given no processor at all, and `sessionSpans` is one.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function spanExporters(): SpanProcessor[] {
  const named = new Set(getStringListFromEnv('OTEL_TRACES_EXPORTER') ?? ['otlp']);
  const processors: SpanProcessor[] = [];
  if (named.has('otlp')) processors.push(queued(otlpExporter()));
  if (named.has('zipkin')) processors.push(queued(new ZipkinExporter()));
  if (named.has('console')) processors.push(new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() }));
  return processors;
}

function otlpExporter(): SpanExporter {
  const protocol =
    getStringFromEnv('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? getStringFromEnv('OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol === 'grpc') return new OtlpGrpcExporter();
  return protocol === 'http/json' ? new OtlpJsonExporter() : new OtlpProtobufExporter();
}

const queued = (exporter: SpanExporter): SpanProcessor =>
  new BatchSpanProcessor({
    exporter,
    maxQueueSize: getNumberFromEnv('OTEL_BSP_MAX_QUEUE_SIZE') ?? 2048,
    maxExportBatchSize: getNumberFromEnv('OTEL_BSP_MAX_EXPORT_BATCH_SIZE') ?? 512,
    scheduledDelayMillis: getNumberFromEnv('OTEL_BSP_SCHEDULE_DELAY') ?? 5000,
    exportTimeoutMillis: getNumberFromEnv('OTEL_BSP_EXPORT_TIMEOUT') ?? 30_000,
  });
