import { type Attributes, type Context, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { ATTR, SCOPE_NAME } from './names.ts';

export const tracer = () => trace.getTracer(SCOPE_NAME);

/** Where a record is, or goes to. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition?: number;
  readonly offset?: number | string;
}

function messagingAttributes(operation: string, type: 'send' | 'process', place: RecordPlace): Attributes {
  return {
    [ATTR.messagingSystem]: 'kafka',
    [ATTR.messagingOperationName]: operation,
    [ATTR.messagingOperationType]: type,
    [ATTR.messagingDestination]: place.topic,
    ...(place.partition === undefined ? {} : { [ATTR.messagingPartition]: String(place.partition) }),
    ...(place.offset === undefined ? {} : { [ATTR.messagingOffset]: Number(place.offset) }),
  };
}

/** A span `send <topic>`; the caller ends it. */
export const startSendSpan = (place: RecordPlace, parent: Context = context.active()): Span =>
  tracer().startSpan(
    `send ${place.topic}`,
    { kind: SpanKind.PRODUCER, attributes: messagingAttributes('send', 'send', place) },
    parent,
  );

/** A span for a record that was read: `process <topic>` unless it has a name of its own. The caller ends it. */
export const startProcessSpan = (place: RecordPlace, parent: Context, name = `process ${place.topic}`): Span =>
  tracer().startSpan(
    name,
    { kind: SpanKind.CONSUMER, attributes: messagingAttributes('process', 'process', place) },
    parent,
  );

/** A span for one Redis command, named after it; the caller ends it. */
export const startStoreSpan = (command: string, parent: Context = context.active()): Span =>
  tracer().startSpan(
    command,
    { kind: SpanKind.CLIENT, attributes: { [ATTR.dbSystem]: 'redis', [ATTR.dbOperation]: command } },
    parent,
  );

/** Ends a span as failed. The error's own code is kept, never its message: messages may quote arguments. */
export function endWithError(span: Span, error: unknown): void {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  span.setAttribute(ATTR.errorType, code ?? (error instanceof Error ? error.name : 'unknown'));
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
