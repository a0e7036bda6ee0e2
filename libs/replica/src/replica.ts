import { REALM_SCOPE, type ScopeKey, type Tick, type VersionRecord } from '@curfew/contracts';
import { Entries, type Entry } from './entries.ts';
import type { SessionVersions } from './session-versions.ts';

/** What the replica can say of a session. `unprovable`: it may lack a bump that ends it. */
export type Verdict = 'active' | 'stale' | 'revoked' | 'unprovable';

export interface ReplicaOptions {
  /** How many partitions session-versions has. */
  readonly partitions: number;
  /** Since when every announced bump will be applied here, ms since the epoch. */
  readonly horizon: number;
  /** Most scopes that are kept; what falls out raises the horizon. Default 100,000. */
  readonly maxEntries?: number;
  /** How far the minting clock and the bus' clock may differ, ms. Default 250. */
  readonly maxClockSkewMs?: number;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
}

/**
 * The session versions of the last while, in memory. Evidence rejects; only a complete view accepts: an entry can end a
 * session, but none can vouch for one. That a session was minted after the horizon does.
 */
export class Replica {
  readonly #entries: Entries;
  /** The realm's entry is in every check and never falls out. */
  #realm: Entry = { current: 0, floor: 0, announcedAt: 0 };
  #horizon: number;
  readonly #maxClockSkewMs: number;
  /** Per partition the newest tick applied, ms since the epoch. */
  readonly #newestTick: Float64Array;
  readonly #now: () => number;

  constructor({ partitions, horizon, maxEntries = 100_000, maxClockSkewMs = 250, now }: ReplicaOptions) {
    this.#entries = new Entries(maxEntries, (announcedAt) => this.raiseHorizon(announcedAt));
    this.#horizon = horizon;
    this.#maxClockSkewMs = maxClockSkewMs;
    this.#newestTick = new Float64Array(partitions).fill(Number.NEGATIVE_INFINITY);
    this.#now = now;
  }

  /** Every bump announced after this time (ms since the epoch) is here. It only rises. */
  get horizon(): number {
    return this.#horizon;
  }

  /** How many scopes are kept. */
  get size(): number {
    return this.#entries.size;
  }

  /** What is known of a scope: for telling why, not for deciding. */
  entry(scope: ScopeKey): Readonly<Entry> | undefined {
    return scope === REALM_SCOPE ? this.#realm : this.#entries.peek(scope);
  }

  /**
   * Takes in a record of session-versions. Any order and any repetition give the same state.
   *
   * @param announcedAt the record's own timestamp, ms since the epoch.
   */
  apply(partition: number, record: VersionRecord | Tick, announcedAt: number): void {
    if (record.kind === 'tick') this.#newestTick[partition] = Math.max(this.#newestTick[partition] ?? 0, record.tick);
    else if (record.scope === REALM_SCOPE) this.#mergeRealm(record, announcedAt);
    else this.#entries.merge(record, announcedAt);
  }

  #mergeRealm({ current, floor }: VersionRecord, announcedAt: number): void {
    const known = this.#realm;
    this.#realm = {
      current: Math.max(known.current, current),
      floor: Math.max(known.floor, floor),
      announcedAt: Math.max(known.announcedAt, announcedAt),
    };
  }

  /** Says that bumps announced up to `at` (ms since the epoch) may be missing: sessions minted before it are unprovable. */
  raiseHorizon(at: number): void {
    if (at > this.#horizon) this.#horizon = at;
  }

  /** Now minus the newest tick of a partition, ms; Infinity before its first. */
  viewAgeMs(partition: number): number {
    return this.#now() - (this.#newestTick[partition] ?? Number.NEGATIVE_INFINITY);
  }

  /** Decides about a session from memory. Synchronous, and allocates nothing. */
  check(session: SessionVersions): Verdict {
    let stale = session.r < this.#realm.current;
    if (session.r < this.#realm.floor) return 'revoked';

    const subject = this.#entries.find(session.subject);
    if (subject !== undefined) {
      if (session.s < subject.floor) return 'revoked';
      if (session.s < subject.current) stale = true;
    }
    if (session.tenant !== undefined) {
      const tenant = this.#entries.find(session.tenant);
      if (tenant !== undefined) {
        if (session.t < tenant.floor) return 'revoked';
        if (session.t < tenant.current) stale = true;
      }
    }
    if (this.#entries.find(session.session) !== undefined) return 'revoked';
    if (stale) return 'stale';
    return session.at > this.#horizon + this.#maxClockSkewMs ? 'active' : 'unprovable';
  }
}
