import { hash } from 'node:crypto';
import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  propagation,
  type SpanContext,
  trace,
} from '@opentelemetry/api';
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

/** Not the baggage: whoever reads that tells it to every host that is called. */
const SESSION = createContextKey('curfew.session');

/**
 * Tells the request's span whose it is, and has its context tell every span to come: those of this process by
 * `sessionSpans`, and those of the services that it may tell by `sessionBaggage`.
 *
 * @returns the context for the rest of the request; undefined where its span is not recorded, and nothing is to be done.
 */
export function contextOfSession(session: TracedSession): Context | undefined {
  const active = context.active();
  const span = trace.getSpan(active);
  if (!span?.isRecording()) return undefined;
  const attributes = attributesOf(session);
  span.setAttributes(attributes);
  return withSession(active, attributes);
}

/** Takes the session that a caller told out of the baggage: it goes on to whom one's own goes. */
export const adoptSession = (caller: Context): Context => withSession(caller, sessionInBaggage(caller));

function withSession(of: Context, session: Attributes | undefined): Context {
  const others = propagation.getBaggage(of)?.removeEntries(ATTR.session, ATTR.sessionVersion);
  return (others === undefined ? of : propagation.setBaggage(of, others)).setValue(SESSION, session);
}

/** Whose request a context is of, as spans tell it. */
export const sessionOf = (of: Context): Attributes | undefined => of.getValue(SESSION) as Attributes | undefined;

const SHAPES = { [ATTR.session]: /^[0-9a-f]{16}$/, [ATTR.sessionVersion]: /^\d{1,15}$/ } as const;

/** What the baggage of a context tells of the session. It may come from anybody: what has another shape is left out. */
function sessionInBaggage(of: Context): Attributes | undefined {
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
  const cause = trace.setSpanContext(propagation.deleteBaggage(context.active()).deleteValue(SESSION), applied);
  const span = tracer().startSpan('first rejection', { attributes, links }, cause);
  request?.addLink({ context: span.spanContext() });
  span.end();
}
