import { contextHeaders, contextOfSession, tracer } from '@curfew/telemetry';
import { context, propagation, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { adoptSession } from '../../../libs/telemetry/src/session-context.ts';
import { recordSpans } from '../../support/recorded-spans.ts';

const ended = recordSpans();

/** printf 8a2f | sha256sum */
const HASH = '68b0aa9467b7856d';
const SESSION = { sid: '8a2f', versions: { s: 1_795_507_200_000 } };
const TOLD = { 'curfew.session': HASH, 'curfew.session.version': SESSION.versions.s };

/** What happens in a request of the session. */
function inRequest(happens: () => void): void {
  tracer().startActiveSpan('request', (request: Span) => {
    const traced = contextOfSession(SESSION);
    if (traced === undefined) throw new Error('the span is not recorded');
    context.with(traced, happens);
    request.end();
  });
}

/** Spans and their attributes, by what a baggage header of another service brings. */
function spanOfBaggage(baggage: string) {
  const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', baggage };
  tracer()
    .startSpan('request', {}, adoptSession(propagation.extract(context.active(), headers)))
    .end();
  return ended.at(-1)?.attributes;
}

describe("a request's session", () => {
  test('is told by its span and by every further one, as a hash and a version', () => {
    inRequest(() => tracer().startSpan('step').end());
    expect(ended.map(({ name, attributes }) => [name, attributes])).toEqual([
      ['step', TOLD],
      ['request', TOLD],
    ]);
  });

  test('is told by the services that hear of it', () => {
    expect(spanOfBaggage(`curfew.session=${HASH},curfew.session.version=${SESSION.versions.s}`)).toEqual(TOLD);
  });

  test('is not in what anybody else passes on, whoever told it', () => {
    const headers: Record<string, string> = {};
    const caller = propagation.createBaggage({ 'curfew.session': { value: HASH } });
    context.with(propagation.setBaggage(context.active(), caller), () =>
      inRequest(() => propagation.inject(context.active(), headers)),
    );
    expect(Object.keys(headers)).toEqual(['traceparent']);
  });

  test('keeps what others put into the baggage', () => {
    const others = propagation.setBaggage(context.active(), propagation.createBaggage({ shop: { value: '7' } }));
    const headers: Record<string, string> = {};
    context.with(others, () => inRequest(() => propagation.inject(context.active(), headers)));
    expect(headers['baggage']).toBe('shop=7');
  });

  test('does not go into the log with the records that its requests send', () => {
    let headers = {};
    inRequest(() => {
      headers = contextHeaders();
    });
    expect(Object.keys(headers)).toEqual(['traceparent']);
  });

  test.each([
    ['curfew.session=alice@example.com,curfew.session.version=7'],
    [`curfew.session=${HASH},curfew.session.version=alice`],
    [`curfew.session=${HASH}`],
    ['curfew.session.version=7'],
  ])('is not taken from a baggage of another shape: %s', (baggage) => {
    expect(spanOfBaggage(baggage)).toEqual({});
  });

  test('is looked for no further where nobody records the request', () => {
    expect(contextOfSession(SESSION)).toBeUndefined();
    const unsampled = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 0 };
    const active = trace.setSpanContext(context.active(), unsampled);
    expect(context.with(active, () => contextOfSession(SESSION))).toBeUndefined();
  });
});

test('a span that fails says so, and loses the words of the error', () => {
  const span = tracer().startSpan('request');
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'no user alice@example.com' });
  span.end();
  expect(ended[0]?.status).toEqual({ code: SpanStatusCode.ERROR });
});
