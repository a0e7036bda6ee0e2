import { hash } from 'node:crypto';
import { type Attributes, type Context, context, propagation, type SpanContext, trace } from '@opentelemetry/api';
import { ATTR } from './names.ts';
import { tracer } from './spans.ts';

/** Who makes a request, as its spans may tell: the session's id is hashed before it gets there. */
export interface TracedSession {
  readonly sid: string;
  readonly versions: {
    /** The version of its subject that the session was minted with. */
    readonly s: number;
  };
}

/** Hex digits of a session's hash, 64 bits: enough to tell sessions apart, and none can be found by it. */
const HASH_LENGTH = 16;

const attributesOf = ({ sid, versions }: TracedSession): Attributes => ({
  [ATTR.session]: hash('sha256', sid).slice(0, HASH_LENGTH),
  [ATTR.sessionVersion]: versions.s,
});

/**
 * Tells the request's span whose it is, and has its baggage (W3C) tell every span to come: those of this process by
 * `sessionSpans`, and those of the services that it calls.
 *
 * @returns the context for the rest of the request; undefined where its span is not recorded, and nothing is to be done.
 */
export function contextOfSession(session: TracedSession): Context | undefined {
  const active = context.active();
  const span = trace.getSpan(active);
  if (!span?.isRecording()) return undefined;
  const attributes = attributesOf(session);
  span.setAttributes(attributes);
  let baggage = propagation.getBaggage(active) ?? propagation.createBaggage();
  for (const [name, value] of Object.entries(attributes)) baggage = baggage.setEntry(name, { value: String(value) });
  return propagation.setBaggage(active, baggage);
}

const SHAPES = { [ATTR.session]: /^[0-9a-f]{16}$/, [ATTR.sessionVersion]: /^\d{1,15}$/ } as const;

/** What the baggage of a context tells of the session. It may come from anybody: what has another shape is left out. */
export function sessionInBaggage(of: Context): Attributes | undefined {
  const baggage = propagation.getBaggage(of);
  const session = baggage?.getEntry(ATTR.session)?.value ?? '';
  const version = baggage?.getEntry(ATTR.sessionVersion)?.value ?? '';
  if (!SHAPES[ATTR.session].test(session) || !SHAPES[ATTR.sessionVersion].test(version)) return undefined;
  return { [ATTR.session]: session, [ATTR.sessionVersion]: Number(version) };
}

/**
 * A span `first rejection` at this moment, in the trace of the event that caused it, and a link each way between it and
 * the span of the request that is rejected, where that is recorded.
 *
 * @param applied the span that applied the bump here.
 */
export function traceFirstRejection(applied: SpanContext, session: TracedSession, code: string): void {
  const active = trace.getActiveSpan();
  const request = active?.isRecording() ? active : undefined;
  const links = request === undefined ? [] : [{ context: request.spanContext() }];
  const attributes = { ...attributesOf(session), [ATTR.verdict]: code };
  const cause = trace.setSpanContext(propagation.deleteBaggage(context.active()), applied);
  const span = tracer().startSpan('first rejection', { attributes, links }, cause);
  request?.addLink({ context: span.spanContext() });
  span.end();
}
