import { CurfewError } from '@curfew/contracts';
import type { Renewal, SessionRecord, SessionStore } from '../store/session-store.ts';
import type { SubjectVersions, VersionStore } from '../store/version-store.ts';
import { type AccessTokenOptions, signAccessToken } from './access-token.ts';
import { newRefreshToken, newSid, readRefreshToken } from './refresh-token.ts';
import type { Revocation, Revocations } from './revocations.ts';

export interface SessionsOptions {
  readonly versions: VersionStore;
  readonly store: SessionStore;
  readonly revocations: Pick<Revocations, 'endSession'>;
  readonly tokens: AccessTokenOptions;
  /** Longest life of a session, ms. */
  readonly sessionTtlMs: number;
  /** Oldest tick, ms of age with `maxClockSkewMs` added, that a session may be made or renewed by. */
  readonly maxViewAgeMs: number;
  /** How far the clocks of the instances that stamp ticks and of this one may differ, ms. */
  readonly maxClockSkewMs: number;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Signs an access token. Default: by the key of `tokens`. */
  readonly sign?: typeof signAccessToken;
  /** Hears of each session created, renewed, ended. */
  readonly onChange?: (change: 'created' | 'renewed' | 'ended') => void;
}

/** Where a sign-in stands in the order of its account's events. */
export interface SignInOrder {
  /** The subject's current version, read before the credential was checked: a bump since then refuses the sign-in. */
  readonly asOfVersion?: number;
  /** An account event that the sign-in comes after: it waits until that one is applied, so as not to be ended by it. */
  readonly after?: { readonly partition: number; readonly offset: number };
}

/** Longest wait for an event to be applied, and how often is looked, ms. */
const AFTER_LIMIT_MS = 1000;
const AFTER_POLL_MS = 5;

/** What a sign-in says of the session that it asks for. */
export type SignIn = Pick<
  SessionRecord,
  'subject' | 'tenant' | 'roles' | 'tier' | 'acr' | 'amr' | 'device' | 'userAgent' | 'ip'
>;

/** A session's tokens; the refresh token is shown this once. */
export interface Grant {
  readonly session: SessionRecord;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** When the access token expires, ms since the epoch. */
  readonly expiresAt: number;
}

export type Standing = 'active' | 'stale' | 'revoked';

/** The life of a session. All methods throw CurfewError `store_unavailable` while Redis does not answer. */
export class Sessions {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** @throws CurfewError `account_disabled`, `subject_changed`, `not_applied_yet`, `view_stale` */
  async create(signIn: SignIn, { asOfVersion, after }: SignInOrder = {}): Promise<Grant> {
    const { versions, store, sessionTtlMs, now, onChange } = this.#options;
    if (after) await this.#applied(after.partition, after.offset);
    const read = await versions.read(signIn.subject, signIn.tenant);
    if (asOfVersion !== undefined && read.subject.current !== asOfVersion) throw new CurfewError('subject_changed');
    if (read.blocked) throw new CurfewError('account_disabled');
    this.#assertFresh(read);
    const createdAt = now();
    const rolesAt = read.subject.current;
    const session = {
      ...signIn,
      ...vectorOf(read),
      rolesAt,
      sid: newSid(),
      createdAt,
      expiresAt: createdAt + sessionTtlMs,
    };
    const refresh = newRefreshToken(session.sid);
    const grant = await this.#grant(session, refresh.token);
    await store.create(session, refresh.hash);
    onChange?.('created');
    return grant;
  }

  /**
   * Exchanges a refresh token: the new access token carries the versions, and the roles, of now.
   *
   * @throws CurfewError `refresh_token_invalid`, `session_revoked`, `account_disabled`, `view_stale`
   */
  async refresh(refreshToken: string): Promise<Grant> {
    const { versions, store, onChange } = this.#options;
    const shown = readRefreshToken(refreshToken);
    const session = shown && (await store.read(shown.sid));
    if (!shown || !session) throw new CurfewError('refresh_token_invalid');

    const read = await versions.read(session.subject, session.tenant, session.sid);
    if (standingOf(session, read) === 'revoked') throw new CurfewError('session_revoked');
    if (read.blocked) throw new CurfewError('account_disabled');
    this.#assertFresh(read);

    const renewal: Renewal = { ...vectorOf(read), roles: rolesOf(session, read), rolesAt: read.subject.current };
    const successor = newRefreshToken(session.sid);
    const grant = await this.#grant({ ...session, ...renewal }, successor.token);
    if (!(await store.refresh(session.sid, shown.hash, successor.hash, renewal)))
      throw new CurfewError('refresh_token_invalid');
    onChange?.('renewed');
    return grant;
  }

  /** @throws CurfewError `session_not_found` */
  async read(sid: string): Promise<{ session: SessionRecord; standing: Standing }> {
    const session = await this.#options.store.read(sid);
    if (!session) throw new CurfewError('session_not_found');
    const read = await this.#options.versions.read(session.subject, session.tenant, sid);
    return { session, standing: standingOf(session, read) };
  }

  /**
   * Ends one session, by an account event like any other end. It cannot be refreshed from now on, and services reject it
   * once the event is acknowledged.
   *
   * @throws CurfewError `session_not_found`
   */
  async end(sid: string): Promise<Revocation> {
    const { store, revocations, onChange } = this.#options;
    const session = await store.read(sid);
    if (!session) throw new CurfewError('session_not_found');
    const revocation = await revocations.endSession(session.subject, sid, () => store.remove(sid, session.subject));
    onChange?.('ended');
    return revocation;
  }

  async #applied(partition: number, offset: number): Promise<void> {
    const { versions, now, sleep } = this.#options;
    const limit = now() + AFTER_LIMIT_MS;
    while ((await versions.position(partition)) < offset) {
      if (now() >= limit) throw new CurfewError('not_applied_yet');
      await sleep(AFTER_POLL_MS);
    }
  }

  /** Minting obeys the bound too: what is minted from an old view may lack an end that was acknowledged long ago. */
  #assertFresh({ tick }: SubjectVersions): void {
    const { maxViewAgeMs, maxClockSkewMs, now } = this.#options;
    const ageMs = now() - tick + maxClockSkewMs;
    if (ageMs > maxViewAgeMs) throw new CurfewError('view_stale', 'account events reach Redis too late to sign in by');
  }

  async #grant(session: SessionRecord, refreshToken: string): Promise<Grant> {
    const { tokens, sign = signAccessToken, now } = this.#options;
    const { accessToken, expiresAt } = await sign(tokens, session, now());
    return { session, accessToken, refreshToken, expiresAt };
  }
}

/** Dated to the tick that was read before the versions: every event acknowledged before it is in them. */
const vectorOf = ({ subject, tenant, realm, tick }: SubjectVersions) => ({
  at: tick,
  s: subject.current,
  t: tenant.current,
  r: realm.current,
});

/** Where a session stands against the versions of now (DESIGN section 4). */
function standingOf({ s, t, r }: SessionRecord, { subject, tenant, realm, sessionEnded }: SubjectVersions): Standing {
  if (sessionEnded || s < subject.floor || t < tenant.floor || r < realm.floor) return 'revoked';
  return s < subject.current || t < tenant.current || r < realm.current ? 'stale' : 'active';
}

/** The roles of a claims change that the session has not seen yet; otherwise its own. */
function rolesOf(session: SessionRecord, { claims }: SubjectVersions): readonly string[] {
  if (!claims || claims.since <= session.rolesAt) return session.roles;
  const { roles } = JSON.parse(claims.json) as { roles?: unknown };
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string' && role !== '') : session.roles;
}
