import type { ScopeKey } from '@curfew/contracts';
import type { SessionVersions, Verdict } from '@curfew/replica';

/** One scope's version as the store has it; zeros where it was never bumped. */
export interface StoredVersion {
  readonly current: number;
  readonly floor: number;
}

/** What the store says of a session's scopes. */
export interface StoredVersions {
  readonly subject: StoredVersion;
  readonly tenant: StoredVersion;
  readonly realm: StoredVersion;
  /** The session's own tombstone is there. */
  readonly ended: boolean;
}

/** Reads the versions of a session's scopes; rejects when the store does not answer. */
export type ReadVersions = (session: SessionScopes) => Promise<StoredVersions>;

export interface SessionScopes {
  readonly subject: ScopeKey;
  readonly tenant: ScopeKey | undefined;
  readonly session: ScopeKey;
}

/** What a read proves. `unprovable`: the store is behind the session, so that it has lost writes and proves nothing. */
export function verdictOf(session: SessionVersions, stored: StoredVersions): Verdict {
  const scopes: [number, StoredVersion][] = [
    [session.s, stored.subject],
    [session.r, stored.realm],
  ];
  if (session.tenant !== undefined) scopes.push([session.t, stored.tenant]);
  if (stored.ended || scopes.some(([minted, { floor }]) => minted < floor)) return 'revoked';
  if (scopes.some(([minted, { current }]) => minted < current)) return 'stale';
  return scopes.some(([minted, { current }]) => minted > current) ? 'unprovable' : 'active';
}

/** A finished read, and when it began, ms since the epoch: everything announced before then is in it. */
interface Read {
  readonly versions: StoredVersions;
  readonly beganAt: number;
}

/** Reads through to the store, one read at a time per session. */
export class ReadThrough {
  readonly #read: ReadVersions;
  readonly #now: () => number;
  readonly #onRead: (durationMs: number, ok: boolean) => void;
  readonly #inFlight = new Map<string, Promise<Read | undefined>>();

  constructor(read: ReadVersions, now: () => number, onRead: (durationMs: number, ok: boolean) => void) {
    this.#read = read;
    this.#now = now;
    this.#onRead = onRead;
  }

  /**
   * Decides by what the store has. An accept re-dates the session to the time that the read began: that, and not the
   * time of the answer, is how far the read can vouch. A store that does not answer leaves the session unprovable.
   */
  async check(session: SessionVersions): Promise<Verdict> {
    const read = await this.#shared(session);
    if (read === undefined) return 'unprovable';
    const verdict = verdictOf(session, read.versions);
    if (verdict === 'active' && read.beganAt > session.at) session.at = read.beganAt;
    return verdict;
  }

  #shared({ subject, tenant, session }: SessionVersions): Promise<Read | undefined> {
    const scopes = { subject: subject.scope, tenant: tenant?.scope, session: session.scope };
    const key = JSON.stringify(scopes);
    const inFlight = this.#inFlight.get(key);
    if (inFlight) return inFlight;
    const read = this.#readNow(scopes).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, read);
    return read;
  }

  async #readNow(scopes: SessionScopes): Promise<Read | undefined> {
    const beganAt = this.#now();
    try {
      const versions = await this.#read(scopes);
      this.#onRead(this.#now() - beganAt, true);
      return { versions, beganAt };
    } catch {
      this.#onRead(this.#now() - beganAt, false);
      return undefined;
    }
  }
}
