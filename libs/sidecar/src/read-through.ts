import type { SessionVersions, Verdict } from '@curfew/replica';
import type { SubjectVersions, Version } from '@curfew/store';
import type { Circuit } from './circuit.ts';

/** What the store says of a session's scopes. */
export type StoredVersions = Pick<SubjectVersions, 'subject' | 'tenant' | 'realm' | 'tick' | 'sessionEnded'>;

/** Reads the versions of a session's scopes in one round trip; rejects when the store does not answer in time. */
export type ReadVersions = (session: SessionVersions) => Promise<StoredVersions>;

export interface ReadThroughOptions {
  readonly read: ReadVersions;
  /** false while it is not known yet where in the store a version is. */
  readonly canRead: () => boolean;
  readonly circuit: Circuit;
  /** What is added to the age of a tick, ms, as for views. */
  readonly skewMs: () => number;
  /** Hears each tick that was read: one from the future shows how far this process' clock is behind. */
  readonly noteTick: (tick: number) => void;
  /** Clock, ms since the epoch; it never goes back. */
  readonly now: () => number;
  readonly onRead: (durationMs: number, ok: boolean) => void;
}

/**
 * What a read proves. As in memory, evidence rejects whatever its age, and only what is inside the bound accepts.
 * `unprovable`: also where the store is behind the session, so that it has lost writes and proves nothing.
 *
 * @param ageMs age of the tick that was read with the versions, the skew included.
 */
export function verdictOf(
  session: SessionVersions,
  stored: StoredVersions,
  ageMs: number,
  maxViewAgeMs: number,
): Verdict {
  const { subject, tenant, realm, sessionEnded } = stored;
  const measured = session.tenant === undefined ? NONE : tenant;
  const t = session.tenant === undefined ? 0 : session.t;
  if (sessionEnded || session.s < subject.floor || t < measured.floor || session.r < realm.floor) return 'revoked';
  if (session.s < subject.current || t < measured.current || session.r < realm.current) return 'stale';
  const behind = session.s > subject.current || t > measured.current || session.r > realm.current;
  return !behind && ageMs <= maxViewAgeMs ? 'active' : 'unprovable';
}

const NONE: Version = { current: 0, floor: 0 };

/** Reads through to the store, one read at a time per session, and none while the store is known to be away. */
export class ReadThrough {
  readonly #options: ReadThroughOptions;
  readonly #inFlight = new Map<string, Promise<StoredVersions | undefined>>();

  constructor(options: ReadThroughOptions) {
    this.#options = options;
  }

  /**
   * Decides by what the store has. An accept re-dates the session to the tick that was read: that, and no clock, is how
   * far the read can vouch. A store that does not answer leaves the session unprovable. It never rejects.
   */
  async check(session: SessionVersions, maxViewAgeMs: number): Promise<Verdict> {
    const stored = await this.#shared(session);
    if (stored === undefined) return 'unprovable';
    const verdict = verdictOf(session, stored, this.#ageMs(stored), maxViewAgeMs);
    if (verdict === 'active' && stored.tick > session.at) session.at = stored.tick;
    return verdict;
  }

  /** Whether a read of the session's scopes could accept: the store answers, and is inside the bound. */
  async proves(session: SessionVersions, maxViewAgeMs: number): Promise<boolean> {
    const stored = await this.#shared(session);
    return stored !== undefined && this.#ageMs(stored) <= maxViewAgeMs;
  }

  /** The age is that of now: the process may have stood still since the answer came. */
  #ageMs(stored: StoredVersions): number {
    return this.#options.now() - stored.tick + this.#options.skewMs();
  }

  #shared(session: SessionVersions): Promise<StoredVersions | undefined> {
    const { subject, tenant } = session;
    // No two sessions share a key: the lengths tell where one name ends.
    const key = `${subject.scope.length} ${tenant?.scope.length} ${subject.scope}${tenant?.scope}${session.session.scope}`;
    const inFlight = this.#inFlight.get(key);
    if (inFlight) return inFlight;
    if (!this.#options.canRead() || !this.#options.circuit.admits()) return AWAY;
    const read = this.#readNow(session).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, read);
    return read;
  }

  async #readNow(session: SessionVersions): Promise<StoredVersions | undefined> {
    const { read, circuit, now, onRead, noteTick } = this.#options;
    const beganAt = now();
    const stored = await read(session).catch(() => undefined);
    if (stored === undefined) circuit.failed();
    else {
      circuit.succeeded();
      noteTick(stored.tick);
    }
    onRead(now() - beganAt, stored !== undefined);
    return stored;
  }
}

const AWAY = Promise.resolve(undefined);
