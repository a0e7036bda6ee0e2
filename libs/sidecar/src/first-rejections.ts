import { REALM_SCOPE, type ScopeKey, type VersionRecord } from '@curfew/contracts';
import type { SessionVersions } from '@curfew/replica';
import { traceFirstRejection } from '@curfew/telemetry';
import type { Span, SpanContext } from '@opentelemetry/api';
import { LRUCache } from 'lru-cache';
import type { Rejection } from './session.ts';

/** Most scopes that are remembered while their newest bump has rejected nothing. */
const MAX_WAITING = 1000;
/** A tombstone ends its session whatever the versions of it are. */
const ANY = Number.NEGATIVE_INFINITY;

/** A scope's newest bump, and the span that applied it here. */
interface Waiting extends Pick<VersionRecord, 'current' | 'floor'> {
  readonly applied: SpanContext;
}

/**
 * Tells of each bump whose trace is recorded which request it was the first to reject: a span `first rejection`. Costs
 * requests that are accepted nothing, and those that are rejected a look into a map.
 */
export class FirstRejections {
  readonly #waiting = new LRUCache<ScopeKey, Waiting>({ max: MAX_WAITING });

  /** A version was raised, within this span. */
  raised({ scope, current, floor }: VersionRecord, span: Span): void {
    if (span.isRecording()) this.#waiting.set(scope, { current, floor, applied: span.spanContext() });
  }

  /** A session's request is rejected, by memory or by the store. */
  rejected(session: SessionVersions, code: Rejection['code']): void {
    if (this.#waiting.size === 0) return;
    const bump =
      this.#take(session.session.scope, ANY, code) ??
      this.#take(session.subject.scope, session.s, code) ??
      (session.tenant && this.#take(session.tenant.scope, session.t, code)) ??
      this.#take(REALM_SCOPE, session.r, code);
    if (bump !== undefined)
      traceFirstRejection(bump.applied, { sid: session.session.scope.slice(2), versions: session }, code);
  }

  #take(scope: ScopeKey, version: number, code: Rejection['code']): Waiting | undefined {
    const bump = this.#waiting.peek(scope);
    if (bump === undefined || version >= (code === 'session_revoked' ? bump.floor : bump.current)) return undefined;
    this.#waiting.delete(scope);
    return bump;
  }
}
