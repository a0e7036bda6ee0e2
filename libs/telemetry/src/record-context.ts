import { type Context, context, propagation, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';

/** W3C trace context as Kafka record headers: `traceparent`, `tracestate`. Empty while telemetry is off. */
export function contextHeaders(span?: Span): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(span ? trace.setSpan(context.active(), span) : context.active(), headers);
  return headers;
}

/** The context that a record's headers carry; the root context where they carry none. */
export function contextOfHeaders(header: (name: string) => string | undefined): Context {
  return propagation.extract(ROOT_CONTEXT, header, {
    get: (read, name) => read(name),
    keys: () => [],
  });
}
