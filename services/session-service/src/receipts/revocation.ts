import { RECEIPT_STATES, type ScopeKey } from '@curfew/contracts';

/** An account event that was understood: what the ledger keeps of it. Times in ms since the epoch. */
export interface Revocation {
  /** The event's jti, and its place in the log. */
  readonly id: string;
  readonly partition: number;
  readonly offset: number;
  /** When the bus acknowledged it. */
  readonly at: number;
  /** When Redis had applied it; absent where that was done by an instance that did not come to announce it. */
  readonly appliedAt?: number;
  readonly announcedAt: number;
  /** The event type in short: `caep/session-revoked`. */
  readonly why: string;
  /** Whose versions it changed; none where it ends nothing, as a credential that is created. */
  readonly scopes: readonly ScopeKey[];
  /** The trace that it is in, where that is recorded. */
  readonly traceId?: string;
  readonly canary?: true;
  /** A sidecar closed after it without saying what it had let through. */
  readonly atLeast?: true;
  /** Once it is effective: what became of it on each sidecar that counts. */
  readonly outcomes?: readonly Outcome[];
}

/** A name is unique to its issuer alone; an event may be announced again. */
export const isSameEvent = (a: Revocation, b: Revocation): boolean =>
  a.partition === b.partition && a.offset === b.offset;

/** What became of a revocation on one sidecar. */
export interface Outcome {
  readonly service: string;
  readonly instance: string;
  readonly state: SidecarState;
  /**
   * `receipt`: it said that it has applied it. `lease`: it was silent for its bound, or said that no view of it is inside
   * that, and from then on accepts nothing by itself. `pending`: neither.
   */
  readonly by: 'receipt' | 'lease' | 'pending';
  /** Since when no strict route of it accepts what has ended, ms since the epoch; absent while it is pending. */
  readonly effectiveAt?: number;
  /** When it applied the event; absent where it has not named it, as among many others. */
  readonly appliedAt?: number;
  /** Requests that it accepted in between, of the sessions concerned. */
  readonly exposed?: number;
  /** There may have been more: so far back it does not remember, or clocks cannot tell what was before the event. */
  readonly atLeast?: true;
  /** When it said its last word before its lease ran out; absent where it said that it has no view inside its bound. */
  readonly silentSince?: number;
}

/** What a sidecar said last, or that it has said nothing for longer than its bound. */
export type SidecarState = (typeof SIDECAR_STATES)[number];

export const SIDECAR_STATES = [...RECEIPT_STATES, 'silent'] as const;
