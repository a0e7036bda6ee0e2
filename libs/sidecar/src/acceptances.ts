import { REALM_SCOPE, type VersionRecord } from '@curfew/contracts';
import type { SessionVersions } from '@curfew/replica';

/** What of a version record tells whom it concerns, and since when. */
export interface Bump extends Pick<VersionRecord, 'scope' | 'current'> {
  /** No later than its event was acknowledged, ms since the epoch by this process' clock. */
  readonly since: number;
  /** No earlier than that. What was accepted between the two may have been let through. */
  readonly certainSince: number;
}

/** What a bump came too late for. */
export interface Exposure {
  /** Requests accepted from the acknowledgement on, of sessions that the bump ends or makes stale. */
  readonly requests: number;
  /** There may have been more: so close to it, or so far back that nothing is remembered or comparable. */
  readonly atLeast: boolean;
}

interface Counted {
  readonly bump: Bump;
  requests: number;
  isLeast: boolean;
}

/** How many acceptances are remembered: 13 seconds of 5,000 requests a second. A power of two. */
const REMEMBERED = 65_536;
/** A tombstone ends its session whatever the versions of it are. */
const ANY = Number.NEGATIVE_INFINITY;

/**
 * The newest acceptances: of which session, and when, by this process' clock. One costs two writes to arrays, and no
 * allocation.
 */
export class Acceptances {
  readonly #epoch: number;
  readonly #sessions: (SessionVersions | undefined)[];
  /** Ms since `epoch`; NaN, which is neither before nor after a bump, where it was taken back. */
  readonly #times: Float64Array;
  readonly #mask: number;
  /** Where the next one goes, in place of the oldest. */
  #next = 0;

  /** @param epoch what the times of `add` count from, ms since the epoch. */
  constructor(epoch: number, remembered: number = REMEMBERED) {
    this.#epoch = epoch;
    this.#sessions = new Array<undefined>(remembered).fill(undefined);
    this.#times = new Float64Array(remembered);
    this.#mask = remembered - 1;
  }

  /** A request of the session is accepted, `elapsed` ms after `epoch`. */
  add(session: SessionVersions, elapsed: number): void {
    const place = this.#next;
    this.#sessions[place] = session;
    this.#times[place] = elapsed;
    this.#next = (place + 1) & this.#mask;
  }

  /** The session's newest request is turned away after all. */
  takeBack(session: SessionVersions): void {
    for (let back = 1; back <= this.#sessions.length; back++) {
      const place = (this.#next - back) & this.#mask;
      if (this.#sessions[place] === undefined) return;
      if (this.#sessions[place] !== session || Number.isNaN(this.#times[place])) continue;
      this.#times[place] = Number.NaN;
      return;
    }
  }

  /**
   * What each of some bumps came too late for: one walk back, to the earliest of them.
   *
   * @param comparableSince times from before it are of another clock, as it were.
   */
  exposures(bumps: readonly Bump[], comparableSince: number): Exposure[] {
    const all: Counted[] = bumps.map((bump) => ({ bump, requests: 0, isLeast: false }));
    const byScope = Map.groupBy(all, ({ bump }) => bump.scope);
    const since = bumps.reduce((earliest, bump) => Math.min(earliest, bump.since), Number.POSITIVE_INFINITY);
    for (let back = 1; back <= this.#sessions.length; back++) {
      const place = (this.#next - back) & this.#mask;
      const session = this.#sessions[place];
      const acceptedAt = this.#acceptedAt(place);
      if (session === undefined || acceptedAt < since) break;
      count(byScope.get(session.subject.scope), session.s, acceptedAt);
      if (session.tenant !== undefined) count(byScope.get(session.tenant.scope), session.t, acceptedAt);
      count(byScope.get(REALM_SCOPE), session.r, acceptedAt);
      count(byScope.get(session.session.scope), ANY, acceptedAt);
    }
    const isFull = this.#sessions[this.#next] !== undefined;
    const rememberedSince = isFull ? this.#acceptedAt(this.#next) : Number.NEGATIVE_INFINITY;
    const knownSince = Math.max(rememberedSince, comparableSince);
    return all.map(({ bump, requests, isLeast }) => ({
      requests,
      atLeast: isLeast || !(bump.since > knownSince),
    }));
  }

  #acceptedAt(place: number): number {
    return this.#epoch + (this.#times[place] ?? 0);
  }
}

function count(concerned: Counted[] | undefined, version: number, acceptedAt: number): void {
  for (const one of concerned ?? []) {
    const { since, certainSince, current } = one.bump;
    if (version >= current) continue;
    if (acceptedAt >= certainSince) one.requests++;
    else if (acceptedAt >= since) one.isLeast = true;
  }
}
