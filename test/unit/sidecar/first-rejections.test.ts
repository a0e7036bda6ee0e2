import { REALM_SCOPE, type ScopeKey, type VersionRecord } from '@curfew/contracts';
import { sessionVersions } from '@curfew/replica';
import { startProcessSpan, tracer } from '@curfew/telemetry';
import { INVALID_SPAN_CONTEXT, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { beforeEach, describe, expect, test } from 'vitest';
import { FirstRejections } from '../../../libs/sidecar/src/first-rejections.ts';
import { recordSpans } from '../../support/recorded-spans.ts';
import { CLAIMS } from './issuer.ts';

const spans = recordSpans();
/** Of `alice` in the tenant `acme`, session `laptop`: minted with 10 of each. */
const session = sessionVersions({ ...CLAIMS, ten: 'acme', ver: { s: 10, t: 10, r: 10, at: 0 } });

let first: FirstRejections;
beforeEach(() => {
  first = new FirstRejections();
});

const record = (scope: ScopeKey, current: number, floor = current): VersionRecord => ({
  ...{ kind: 'version', scope, current, floor, at: 0, why: 'x', id: 'x', offset: 0 },
});

function raise(...raised: Parameters<typeof record>): Span {
  const span = startProcessSpan({ topic: 't' }, ROOT_CONTEXT, 'apply session version');
  first.raised(record(...raised), span);
  span.end();
  return span;
}

const told = () => spans.filter(({ name }) => name === 'first rejection');

describe('the first rejection by a bump', () => {
  test('is a span of its trace, linked with that of the request and back', () => {
    const applied = raise('u:alice', 11);
    tracer().startActiveSpan('request', (request) => {
      first.rejected(session, 'session_revoked');
      request.end();
    });
    const request = spans.find(({ name }) => name === 'request');
    const [rejection] = told();
    expect(rejection?.spanContext().traceId).toBe(applied.spanContext().traceId);
    expect(rejection?.parentSpanContext?.spanId).toBe(applied.spanContext().spanId);
    expect(rejection?.spanContext().traceId).not.toBe(request?.spanContext().traceId);
    expect(rejection?.links.map(({ context }) => context.spanId)).toEqual([request?.spanContext().spanId]);
    expect(request?.links.map(({ context }) => context.spanId)).toEqual([rejection?.spanContext().spanId]);
    expect(rejection?.attributes).toEqual({
      // printf laptop | sha256sum
      'curfew.session': '5eec0dc419aa8337',
      'curfew.session.version': 10,
      'curfew.verdict': 'session_revoked',
    });
  });

  test('is told once, and again for the next bump of the scope', () => {
    raise('u:alice', 11);
    for (const _ of [1, 2]) first.rejected(session, 'session_revoked');
    expect(told()).toHaveLength(1);
    raise('u:alice', 12);
    first.rejected(session, 'session_revoked');
    expect(told()).toHaveLength(2);
  });

  test.each<[ScopeKey]>([['u:alice'], ['t:acme'], [REALM_SCOPE], ['s:laptop']])('is told of the scope %s', (scope) => {
    raise(scope, 11);
    first.rejected(session, 'session_revoked');
    expect(told()).toHaveLength(1);
  });

  test.each<[string, Parameters<typeof record>, 'session_revoked' | 'session_stale', number]>([
    ["of another subject's bump", ['u:bob', 11], 'session_revoked', 0],
    ['of a bump that the session has outlived', ['u:alice', 10], 'session_revoked', 0],
    ['of a bump that makes it stale alone, where it is revoked', ['u:alice', 11, 10], 'session_revoked', 0],
    ['of a bump that makes it stale', ['u:alice', 11, 10], 'session_stale', 1],
  ])('is told rightly %s', (_what, bump, code, times) => {
    raise(...bump);
    first.rejected(session, code);
    expect(told()).toHaveLength(times);
  });

  test('is not told of a bump whose trace nobody records', () => {
    first.raised(record('u:alice', 11), trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
    first.rejected(session, 'session_revoked');
    expect(spans).toEqual([]);
  });

  test('has no link where there is no request, or nobody records it', () => {
    raise('u:alice', 11);
    first.rejected(session, 'session_revoked');
    expect(told()[0]?.links).toEqual([]);
  });

  test('is forgotten of the bump that waits longest where a thousand others wait', () => {
    raise('u:alice', 11);
    for (let n = 0; n < 1000; n++) raise(`u:other-${n}`, 11);
    first.rejected(session, 'session_revoked');
    expect(told()).toEqual([]);
  });
});
