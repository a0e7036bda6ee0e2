import type { ScopeKey } from '@curfew/contracts';

/** Times are ms since the epoch, by the harness' clock. */

/** What a decision can be: `accepted` claims to be proven, `unproven` does not; the others are the codes of a rejection. */
export const OUTCOMES = [
  'accepted',
  'unproven',
  'session_revoked',
  'session_stale',
  'session_expired',
  'session_invalid',
  'view_stale',
  'not_ready',
  'unanswered',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const POLICIES = ['strict', 'lenient'] as const;
/** What decided, as the sidecar says; `unknown` where the answer does not tell. */
export const SOURCES = ['unknown', 'token', 'memory', 'store', 'policy'] as const;

/** One decision of one sidecar about one token. */
export interface Decision {
  /** The sidecar that decided, by name. */
  readonly member: string;
  /** Index of the token's grant. */
  readonly token: number;
  readonly policy: (typeof POLICIES)[number];
  readonly outcome: Outcome;
  readonly source: (typeof SOURCES)[number];
  /** When it was asked for: no clock that the decision went by was read earlier. */
  readonly at: number;
  readonly tookMs: number;
}

/** A token that was given out, by a sign-in or by a refresh. */
export interface Grant {
  readonly subject: string;
  readonly tenant: string;
  readonly sid: string;
  readonly version: { readonly s: number; readonly t: number; readonly r: number };
  readonly requestedAt: number;
  readonly receivedAt: number;
  /** The event that the sign-in said it comes after. */
  readonly after?: Place;
  /** Index of the grant that was refreshed. */
  readonly refreshOf?: number;
}

export interface Place {
  readonly partition: number;
  readonly offset: number;
}

/** A record that was sent to the account-event log. */
export interface Publication {
  /** Its jti; of a record that is none, any text. */
  readonly id: string;
  readonly sentAt: number;
  /** Absent: no acknowledgement came, and it may be in the log or not. */
  readonly ackedAt?: number;
  readonly place?: Place;
  /** It cannot be understood, and belongs in the rejected topic. */
  readonly poison?: true;
}

/** An event as it stands in the log. */
export interface LoggedEvent extends Place {
  readonly id: string;
  /** When the broker appended it. */
  readonly time: number;
  readonly effects: readonly {
    readonly scope: ScopeKey;
    /** It ends sessions; otherwise they renew. */
    readonly ends: boolean;
    readonly blocked?: boolean;
    /** The session that it spares. */
    readonly keeps?: string;
  }[];
}

/** What a record of session-versions says, in the log's order within its partition. */
export type Announced = { readonly partition: number } & (
  | { readonly scope: ScopeKey; readonly current: number; readonly floor: number; readonly offset: number }
  | { readonly tick: number; readonly offset: number }
);

export interface StoredVersion {
  readonly current: number;
  readonly floor: number;
}

/** A fault, from when it began to when it was over. */
export interface Fault {
  readonly kind: string;
  readonly target: string;
  readonly from: number;
  readonly to: number;
}

/** All that happened in a run. */
export interface History {
  /** From when to when requests were made. */
  readonly from: number;
  readonly to: number;
  readonly boundMs: number;
  readonly grants: readonly Grant[];
  readonly publications: readonly Publication[];
  readonly decisions: readonly Decision[];
  readonly faults: readonly Fault[];
  /** When Redis lost writes. */
  readonly losses: readonly number[];
  /** Versions that were seen to fall in Redis where no loss explains it. */
  readonly falls: readonly {
    readonly scope: string;
    readonly from: number;
    readonly to: number;
    readonly at: number;
  }[];
  readonly log: readonly LoggedEvent[];
  readonly announced: readonly Announced[];
  /** Places of the records in the rejected topic. */
  readonly rejected: readonly Place[];
  /** Redis at the end. */
  readonly stored: ReadonlyMap<string, StoredVersion>;
  /** What every sidecar says of every token when the faults are over. */
  readonly verdicts: readonly Decision[];
  /** How long after the last fault every sidecar accepted again in every partition, ms; undefined: it never did. */
  readonly recoveryMs: number | undefined;
}
