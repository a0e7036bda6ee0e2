/**
 * What the session service reports (DESIGN section 8), for whoever shows it. Times are RFC 3339.
 */
export interface SidecarReport {
  readonly service: string;
  readonly instance: string;
  readonly state: 'starting' | 'live' | 'behind' | 'cut-off' | 'silent' | 'closed';
  readonly startedAt: string;
  readonly lastReceiptAt: string;
  /** Until when it may accept on strict routes by what it last knew; afterwards it refuses by itself. */
  readonly leaseUntil: string;
  readonly boundMs: number;
  readonly lagRecords?: number;
  readonly partitions: readonly PartitionView[];
}

interface PartitionView {
  readonly partition: number;
  readonly offset: number;
  readonly tick?: string;
  readonly ageMs: number;
}

/** A revocation, joined with what each sidecar said of it. */
export interface RevocationReport {
  readonly id: string;
  readonly partition: number;
  readonly offset: number;
  readonly why: string;
  readonly scopes: readonly string[];
  readonly traceId?: string;
  readonly canary?: true;
  /** When the bus acknowledged it. */
  readonly at: string;
  readonly appliedAt?: string;
  readonly announcedAt?: string;
  readonly effective: boolean;
  readonly effectiveAt?: string;
  readonly summary: string;
  /** Why it is effective at once, where it is. */
  readonly says?: string;
  /** Requests accepted between `at` and the application, on all sidecars. */
  readonly exposed: number;
  readonly atLeast?: true;
  readonly sidecars: readonly Application[];
}

/** A revocation on one sidecar. */
export interface Application {
  readonly service: string;
  readonly instance: string;
  readonly state: string;
  readonly effective: boolean;
  readonly by: 'receipt' | 'lease' | 'pending';
  readonly appliedAt?: string;
  readonly latencyMs?: number;
  /** Since when it accepts nothing of what has ended: by its receipt, or by itself. */
  readonly effectiveAt?: string;
  readonly exposed?: number;
  readonly atLeast?: true;
  readonly says: string;
}
