import { type Context, context, propagation, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';

/**
 * W3C trace context as Kafka record headers: `traceparent`, `tracestate`. Empty while telemetry is off. Whose request it
 * was that sent the record stays with the request.
 */
export function contextHeaders(span?: Span): Record<string, string> {
  const headers: Record<string, string> = {};
  const active = propagation.deleteBaggage(context.active());
  propagation.inject(span ? trace.setSpan(active, span) : active, headers);
  return headers;
}

/** The context that a record's headers carry; the root context where they carry none. */
export function contextOfHeaders(header: (name: string) => string | undefined): Context {
  return propagation.extract(ROOT_CONTEXT, header, {
    get: (read, name) => read(name),
    keys: () => [],
  });
}
