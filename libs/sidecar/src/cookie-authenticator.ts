import { CurfewError, claimsOfRecord, decodeSessionRecord, isSessionId, sessionIdHash, sidOf } from '@curfew/contracts';
import { type StoredRecord, TOUCH_INTERVAL_MS } from '@curfew/store';
import { LRUCache } from 'lru-cache';
import type { Authenticator } from './authenticator.ts';
import type { Circuit } from './circuit.ts';
import type { Clock } from './clock.ts';
import { type Authentication, type Policy, REJECTIONS, type VerifiedToken, verifiedToken } from './session.ts';

export interface CookieAuthenticatorOptions {
  readonly authenticator: Pick<Authenticator, 'decide' | 'told' | 'takeBack' | 'refuse' | 'unprovable'>;
  /** Reads the record of a session by what its id tells, and notes its use; rejects when Redis does not answer in time. */
  readonly read: (sid: string, idHash: string) => Promise<StoredRecord>;
  readonly circuit: Circuit;
  readonly issuer: string;
  readonly audience: string;
  /** Most sessions kept in memory. */
  readonly cacheSize: number;
  readonly clock: Pick<Clock, 'epoch' | 'elapsed'>;
  readonly onWarning: (message: string) => void;
}

/** What is known of an id. Times are in ms since the epoch. */
interface Known {
  readonly session: VerifiedToken;
  /** When it ends at the latest, or unused, as of the last read. */
  readonly expiresAt: number;
  /** From when on a use is to be noted. */
  readonly touchAt: number;
  /** When evidence against it last had it read anew. */
  readonly recheckedAt: number;
  /** Its record was gone at the last read: what is known ends it, and must not let it in. */
  readonly gone: boolean;
}

/** What a read found: a session, none, or that Redis does not answer. */
type Found = Known | 'none' | 'away';

/** How often one id is looked up again that is, or seems to be, no session; ms. */
const RECHECK_MS = 1000;
/** Most ids that are remembered as no session's. They have a place of their own, as anybody can make up any number. */
const MAX_ABSENT = 1000;

const GET = {};

/** How often a cookie was known, and what its records were like. */
export interface CookieCounts {
  cookieHits: number;
  cookieMisses: number;
  invalidRecords: number;
}

/**
 * Decides about the session that a cookie carries. Its record is read from Redis once, and is from then on what a token
 * is: versions with a date. Nothing that is read from memory makes it live longer: that is Redis' to say, once a minute,
 * beside the requests.
 */
export class CookieAuthenticator {
  readonly #options: CookieAuthenticatorOptions;
  readonly #known: LRUCache<string, Known>;
  /** When an id was last found to be no session's. */
  readonly #absent = new LRUCache<string, number>({ max: MAX_ABSENT });
  readonly #reading = new Map<string, Promise<Found>>();
  readonly counts: CookieCounts = { cookieHits: 0, cookieMisses: 0, invalidRecords: 0 };

  constructor(options: CookieAuthenticatorOptions) {
    this.#options = options;
    this.#known = new LRUCache({ max: options.cacheSize });
  }

  /** The answer itself where memory has it, so that a request in the ordinary case waits for no promise. */
  authenticate(id: string, policy: Policy, maxViewAgeMs: number): Authentication | Promise<Authentication> {
    const known = this.#known.get(id, GET);
    if (known === undefined) return this.#lookUp(id, policy, maxViewAgeMs);
    const { clock, authenticator } = this.#options;
    const elapsed = clock.elapsed();
    const now = clock.epoch + elapsed;
    if (now >= known.expiresAt) return this.#lookUp(id, policy, maxViewAgeMs);
    this.counts.cookieHits++;
    if (now >= known.touchAt && !known.gone) void this.#read(id);
    const answer = authenticator.decide(known.session, policy, maxViewAgeMs, elapsed);
    if (answer instanceof Promise || known.gone || !answer.ok)
      return this.#settle(id, known, answer, policy, maxViewAgeMs);
    return answer;
  }

  async #lookUp(id: string, policy: Policy, maxViewAgeMs: number): Promise<Authentication> {
    const { authenticator, clock } = this.#options;
    const absentAt = this.#absent.get(id) ?? Number.NEGATIVE_INFINITY;
    if (!isSessionId(id) || clock.epoch + clock.elapsed() < absentAt + RECHECK_MS)
      return authenticator.refuse('session_invalid');
    this.counts.cookieMisses++;
    const found = await this.#read(id);
    // Nobody knows whose it is: lenient routes cannot take it either.
    if (found === 'away') return authenticator.unprovable();
    if (found === 'none') return authenticator.refuse('session_invalid');
    return this.#decide(found.session, policy, maxViewAgeMs);
  }

  async #decide(session: VerifiedToken, policy: Policy, maxViewAgeMs: number): Promise<Authentication> {
    const { authenticator, clock } = this.#options;
    return authenticator.told(session, await authenticator.decide(session, policy, maxViewAgeMs, clock.elapsed()));
  }

  /** Evidence is against the session as it is known; it may have been renewed, or spared, since. */
  async #settle(
    id: string,
    known: Known,
    first: Authentication | Promise<Authentication>,
    policy: Policy,
    maxViewAgeMs: number,
  ): Promise<Authentication> {
    const { authenticator, clock } = this.#options;
    const answer = await first;
    if (answer.ok && !known.gone) return answer;
    if (answer.ok) {
      authenticator.takeBack(answer.session.versions);
      return REJECTIONS.token.session_invalid;
    }
    const isEnd = answer.code === 'session_revoked' || answer.code === 'session_stale';
    const recheckedAt = clock.epoch + clock.elapsed();
    if (!isEnd || known.gone || recheckedAt < known.recheckedAt + RECHECK_MS)
      return authenticator.told(known.session, answer);
    const anew = await this.#read(id);
    if (anew === 'away') return authenticator.told(known.session, answer);
    // Where there is none any more it is remembered with the evidence, so that it goes on being called what it is.
    const now = anew === 'none' ? { ...known, gone: true } : anew;
    this.#known.set(ownText(id), { ...now, recheckedAt });
    if (anew === 'none') return authenticator.told(known.session, answer);
    return this.#decide(anew.session, policy, maxViewAgeMs);
  }

  #read(id: string): Promise<Found> {
    const inFlight = this.#reading.get(id);
    if (inFlight) return inFlight;
    if (!this.#options.circuit.admits()) return AWAY;
    const read = this.#readNow(id).finally(() => this.#reading.delete(id));
    this.#reading.set(id, read);
    return read;
  }

  async #readNow(id: string): Promise<Found> {
    const { read, circuit, clock } = this.#options;
    const sid = sidOf(id);
    const idHash = sessionIdHash(id);
    // As of before the read: whatever time it takes is not added to a life.
    const readAt = clock.epoch + clock.elapsed();
    const stored = await read(sid, idHash).catch((error: unknown) => {
      // Redis answers, and refuses records alone: versions can be read.
      if (error instanceof CurfewError && error.reason !== undefined) circuit.succeeded();
      else circuit.failed();
    });
    if (stored === undefined) return 'away';
    circuit.succeeded();
    const found = this.#foundIn(sid, idHash, stored, readAt, this.#known.peek(id)?.session);
    if (found === 'none') {
      this.#known.delete(id);
      this.#absent.set(ownText(id), readAt);
    } else this.#known.set(ownText(id), found);
    return found;
  }

  #foundIn(
    sid: string,
    idHash: string,
    { fields, now }: StoredRecord,
    readAt: number,
    before: VerifiedToken | undefined,
  ): Known | 'none' {
    if (Object.keys(fields).length === 0) return 'none';
    const record = decodeSessionRecord(sid, fields);
    if (!record.ok) {
      this.counts.invalidRecords++;
      this.#options.onWarning('a session record in Redis holds what no session service writes: it is no session');
      return 'none';
    }
    const { lastSeenAt, idleMs, expiresAt, createdAt, ended, s, t, r } = record.value;
    // An id before this one, or none that a cookie carries.
    if (record.value.idHash !== idHash) return 'none';
    // By Redis' clock, which ends the record, and not by this one.
    const remainingMs = Math.min(lastSeenAt + idleMs, expiresAt) - now;
    if (ended !== undefined || remainingMs <= 0) return 'none';
    const unseenMs = now - lastSeenAt;
    // A minute after its last use, not after this read: its life would be cut short by up to another one.
    const touchInMs = unseenMs > 0 && unseenMs < TOUCH_INTERVAL_MS ? TOUCH_INTERVAL_MS - unseenMs : TOUCH_INTERVAL_MS;
    const times = { expiresAt: readAt + remainingMs, touchAt: readAt + Math.max(touchInMs, RECHECK_MS) };
    const known = { ...times, recheckedAt: 0, gone: false };
    // The same versions may have been read through since, and be dated later than the record knows.
    const held = before?.versions;
    if (before && held && held.s === s && held.t === t && held.r === r) return { ...known, session: before };
    const { issuer, audience } = this.#options;
    const claims = {
      iss: issuer,
      aud: audience,
      exp: Math.floor(expiresAt / 1000),
      iat: Math.floor(createdAt / 1000),
      jti: idHash,
      ...claimsOfRecord(record.value),
    };
    return { ...known, session: verifiedToken(claims) };
  }
}

const AWAY = Promise.resolve('away' as const);

/** A text of its own: one that was cut out of a `Cookie` header keeps the whole header in memory (V8's sliced strings). */
const ownText = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
