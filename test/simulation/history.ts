import type { ScopeKey } from '@curfew/contracts';

/** One change that an account event asks for. */
export interface HistoryEffect {
  readonly scope: ScopeKey;
  /** true: it ends sessions; false: it makes them renew. */
  readonly ends: boolean;
  /** The session that it spares. */
  readonly keeps?: string;
  /** Only sessions of this device of the scope's subject, each by a tombstone. */
  readonly device?: string;
}

/** An account event that the bus acknowledged. Fed to the checker in the order of its partition. */
export interface HistoryEvent {
  readonly id: string;
  readonly partition: number;
  readonly offset: number;
  /** When it was acknowledged, by the clock of whoever watches, ms. */
  readonly at: number;
  /** LogAppendTime: what the fold takes, ms since the epoch. */
  readonly time: number;
  readonly effects: readonly HistoryEffect[];
}

/** A token that was given out. */
export interface HistoryToken {
  readonly token: string;
  readonly sid: string;
  readonly subject: string;
  readonly tenant?: string;
  readonly device?: string;
  readonly s: number;
  readonly t: number;
  readonly r: number;
  /** When the sign-in or the refresh began, and when its answer came, ms. */
  readonly began: number;
  readonly at: number;
}

/** What a sidecar answered to a request. */
export interface HistoryDecision {
  readonly at: number;
  readonly by: string;
  readonly token: string;
  readonly policy: 'strict' | 'lenient';
  readonly verdict: 'active' | 'stale' | 'revoked' | 'unprovable';
}

/** What Redis, and the topics, hold at the end. */
export interface HistoryEnd {
  readonly at: number;
  readonly versions: ReadonlyMap<string, { readonly current: number; readonly floor: number }>;
  /** Ids of the events that session-versions told of, and of those that the rejected topic holds. */
  readonly announced: ReadonlySet<string>;
  readonly rejected: ReadonlySet<string>;
}

export type ViolationKind =
  | 'stale-accept'
  | 'false-kill'
  | 'version-fell'
  | 'announced-below-event'
  | 'event-lost'
  | 'version-differs'
  | 'not-converged';

export interface Violation {
  readonly kind: ViolationKind;
  readonly at: number;
  readonly text: string;
}
