import { REALM_SCOPE, type ScopeKey, type Tick, type VersionRecord } from '@curfew/contracts';
import { Entries, type Entry } from './entries.ts';
import type { SessionVersions } from './session-versions.ts';
import { Views } from './views.ts';

/** What the replica can say of a session. `unprovable`: it may lack a bump that ends it. */
export type Verdict = 'active' | 'stale' | 'revoked' | 'unprovable';

export interface ReplicaOptions {
  /** How many partitions session-versions has. */
  readonly partitions: number;
  /** Since when every announced bump will be applied here, ms since the epoch. */
  readonly horizon: number;
  /** Most scopes that are kept; what falls out raises the horizon. Default 100,000. */
  readonly maxEntries?: number;
  /** How long a bump is kept, ms: at least the life of a token. Default: for ever. A forgotten one raises the horizon. */
  readonly windowMs?: number;
  /** How far the clocks of the session service, the bus and this process may differ, ms. Default 250. */
  readonly maxClockSkewMs?: number;
  /**
   * Clock, ms since `epoch`. It must never go back: a view would look young again. One that gives small integers costs a
   * check no allocation; another is boxed.
   */
  readonly now: () => number;
  /** What `now` counts from, ms since the epoch. Default 0. */
  readonly epoch?: number;
}

/**
 * The session versions of the last while, in memory. Evidence rejects; only a complete view accepts: an entry can end a
 * session, but none can vouch for one. That a session was minted after the horizon does, and that the views of its scopes
 * are young: everything acknowledged up to the bound before now has been applied.
 */
export class Replica {
  readonly #entries: Entries;
  /** The realm's entry is in every check. It falls out by age alone. */
  #realm: Entry = { current: 0, floor: 0, announcedAt: 0 };
  #horizon: number;
  readonly #views: Views;
  readonly #windowMs: number;
  readonly #now: () => number;
  readonly #epoch: number;

  constructor({
    partitions,
    horizon,
    maxEntries = 100_000,
    maxClockSkewMs = 250,
    windowMs = Number.POSITIVE_INFINITY,
    now,
    epoch = 0,
  }: ReplicaOptions) {
    this.#entries = new Entries(maxEntries, (announcedAt) => this.raiseHorizon(announcedAt));
    this.#horizon = horizon;
    this.#views = new Views(partitions, maxClockSkewMs);
    this.#windowMs = windowMs;
    this.#now = now;
    this.#epoch = epoch;
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
   * @returns whether it raised a version: false for a tick, and for what was known.
   */
  apply(partition: number, record: VersionRecord | Tick, announcedAt: number): boolean {
    if (record.kind !== 'tick')
      return record.scope === REALM_SCOPE
        ? this.#mergeRealm(record, announcedAt)
        : this.#entries.merge(record, announcedAt);
    this.#applyTick(partition, record.tick, this.#now());
    return false;
  }

  /** With the ticks, age comes: Redis forgets a version one day, and a session minted then must not be judged by it. */
  #applyTick(partition: number, tick: number, now: number): void {
    this.#views.apply(partition, tick - this.#epoch, now);
    const since = this.#epoch + now - this.#windowMs;
    this.#entries.dropBefore(since);
    if (this.#realm.announcedAt >= since) return;
    this.raiseHorizon(this.#realm.announcedAt);
    this.#realm = { current: 0, floor: 0, announcedAt: 0 };
  }

  #mergeRealm({ current, floor }: VersionRecord, announcedAt: number): boolean {
    const known = this.#realm;
    this.#realm = {
      current: Math.max(known.current, current),
      floor: Math.max(known.floor, floor),
      announcedAt: Math.max(known.announcedAt, announcedAt),
    };
    return current > known.current || floor > known.floor;
  }

  /** Says that bumps announced up to `at` (ms since the epoch) may be missing: sessions minted before it are unprovable. */
  raiseHorizon(at: number): void {
    if (at > this.#horizon) this.#horizon = at;
  }

  /** Says that what a partition has proven no longer holds: its view is infinitely old until its next tick. */
  dropView(partition: number): void {
    this.#views.drop(partition);
  }

  /** Now minus the newest tick of a partition, plus the skew, ms; Infinity before its first. */
  viewAgeMs(partition: number): number {
    return this.#views.ageMs(partition, this.#now());
  }

  /** The newest tick of a partition, ms since the epoch; 0 before its first. */
  newestTick(partition: number): number {
    const tick = this.#epoch + this.#views.newestTick(partition);
    return tick === Number.NEGATIVE_INFINITY ? 0 : tick;
  }

  /** What is added to every age, ms: `maxClockSkewMs`, or the largest lead where that is more. It only rises. */
  get skewMs(): number {
    return this.#views.skewMs;
  }

  /** How far a tick was ahead of this process' clock at the most, ms; 0 where none was. It only rises. */
  get largestLeadMs(): number {
    return this.#views.largestLeadMs;
  }

  /** Takes note of a tick that was seen elsewhere, for its lead alone: it makes no view younger. */
  noteTick(tick: number): void {
    this.#views.noteLead(tick - this.#epoch - this.#now());
  }

  /**
   * Decides about a session from memory. Synchronous, allocates nothing, and reads the clock once.
   *
   * @param maxViewAgeMs the bound: the largest age of a view on which a session is accepted.
   */
  check(session: SessionVersions, maxViewAgeMs: number): Verdict {
    return this.checkAt(session, maxViewAgeMs, this.#now());
  }

  /** As `check`, for a caller that has just read the same clock. */
  checkAt(session: SessionVersions, maxViewAgeMs: number, now: number): Verdict {
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
    if (!(session.at > this.#horizon + this.#views.skewMs)) return 'unprovable';
    return this.#views.oldestAgeMs(session, now) <= maxViewAgeMs ? 'active' : 'unprovable';
  }
}
