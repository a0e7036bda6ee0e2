/** What the session service answers, as far as the command shows it. Times are RFC 3339. */
export interface RevocationReport {
  /** The account event's jti. */
  readonly id: string;
  readonly partition: number;
  readonly offset: number;
  /** The event type in short. */
  readonly why: string;
  readonly scopes: readonly string[];
  readonly traceId?: string;
  readonly canary?: true;
  /** When the bus acknowledged the event. */
  readonly at: string;
  readonly appliedAt?: string;
  readonly announcedAt?: string;
  readonly effective: boolean;
  readonly effectiveAt?: string;
  /** `2 of 2`: the sidecars that it is effective on. */
  readonly summary: string;
  readonly exposed: number;
  readonly atLeast?: true;
  readonly sidecars: readonly SidecarEffect[];
}

interface SidecarEffect {
  readonly service: string;
  readonly instance: string;
  readonly state: string;
  readonly effective: boolean;
  readonly by: 'receipt' | 'lease' | 'pending';
  readonly latencyMs?: number;
  readonly exposed?: number;
  readonly atLeast?: true;
  readonly says: string;
}

export interface Accepted {
  readonly id: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly status?: string;
}

export interface SidecarReport {
  readonly service: string;
  readonly instance: string;
  readonly state: string;
  readonly startedAt: string;
  readonly lastReceiptAt: string;
  readonly leaseUntil: string;
  readonly boundMs: number;
  readonly lagRecords?: number;
  readonly partitions: readonly { readonly partition: number; readonly offset: number; readonly ageMs: number }[];
}

export interface SessionReport {
  readonly sid: string;
  readonly subject: string;
  readonly tenant?: string;
  readonly version: { readonly s: number; readonly t: number; readonly r: number; readonly at: number };
}
