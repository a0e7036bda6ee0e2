import { CurfewError } from '@curfew/contracts';
import {
  ATTR,
  contextHeaders,
  contextOfHeaders,
  endWithError,
  startProcessSpan,
  startSendSpan,
  startStoreSpan,
  tracer,
} from '@curfew/telemetry';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { recordSpans } from '../../support/recorded-spans.ts';

const ended = recordSpans();

describe('a span', () => {
  test('of a sent record is called after its topic, and says where the record went', () => {
    startSendSpan({ topic: 'curfew.account-events', partition: 9, offset: 41 }).end();
    expect(ended).toMatchObject([
      {
        name: 'send curfew.account-events',
        kind: SpanKind.PRODUCER,
        attributes: {
          'messaging.system.name': 'kafka',
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
          'messaging.destination.name': 'curfew.account-events',
          'messaging.destination.partition.id': '9',
          'kafka.offset': 41,
        },
      },
    ]);
  });

  test('of a record that was read is called after its topic, unless it has a name of its own', () => {
    const parent = contextOfHeaders(() => undefined);
    startProcessSpan({ topic: 'curfew.account-events', partition: 0, offset: '7' }, parent).end();
    startProcessSpan({ topic: 'curfew.session-versions' }, parent, 'apply session version').end();
    expect(ended.map(({ name, kind }) => [name, kind])).toEqual([
      ['process curfew.account-events', SpanKind.CONSUMER],
      ['apply session version', SpanKind.CONSUMER],
    ]);
    expect(ended[0]?.attributes).toMatchObject({ 'messaging.operation.type': 'process', 'kafka.offset': 7 });
    expect(ended[1]?.attributes).not.toHaveProperty('kafka.offset');
  });

  test('of a Redis command is called after it', () => {
    startStoreSpan('EVALSHA').end();
    expect(ended).toMatchObject([
      {
        name: 'EVALSHA',
        kind: SpanKind.CLIENT,
        attributes: { 'db.system.name': 'redis', 'db.operation.name': 'EVALSHA' },
      },
    ]);
  });

  test('is the child of the span that is active', () => {
    tracer().startActiveSpan('request', (request) => {
      startSendSpan({ topic: 't' }).end();
      request.end();
    });
    const [send, request] = ended;
    expect(send?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
  });

  test.each([
    [new CurfewError('bus_unavailable', 'token=secret'), 'bus_unavailable'],
    [new TypeError('token=secret'), 'TypeError'],
    ['secret', 'unknown'],
  ])('that fails keeps the code of %s, and not its words', (error, type) => {
    endWithError(startStoreSpan('GET'), error);
    expect(ended[0]?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(ended[0]?.attributes[ATTR.errorType]).toBe(type);
    expect(JSON.stringify([ended[0]?.attributes, ended[0]?.events])).not.toContain('secret');
  });
});

describe('the context of a trace', () => {
  test('travels in the headers of a record, from the span that sent it to the span that reads it', () => {
    const send = startSendSpan({ topic: 't' });
    const headers = contextHeaders(send);
    send.end();
    const { traceId, spanId } = send.spanContext();
    expect(headers).toEqual({ traceparent: `00-${traceId}-${spanId}-01` });

    startProcessSpan(
      { topic: 't' },
      contextOfHeaders((name) => headers[name]),
    ).end();
    expect(ended[1]?.spanContext().traceId).toBe(traceId);
    expect(ended[1]?.parentSpanContext).toMatchObject({ spanId, isRemote: true });
  });

  test('keeps the state that others put into it', () => {
    const headers: Record<string, string> = {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'vendor=1',
    };
    context.with(
      contextOfHeaders((name) => headers[name]),
      () => {
        expect(contextHeaders()).toEqual(headers);
      },
    );
  });

  test.each([undefined, '', 'rubbish', '00-0-0-00'])('is empty where the header is %j', (traceparent) => {
    const read = contextOfHeaders((name) => (name === 'traceparent' ? traceparent : undefined));
    expect(trace.getSpanContext(read)).toBeUndefined();
  });
});
