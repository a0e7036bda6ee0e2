import { randomBytes } from 'node:crypto';
import { CurfewError, isSessionId, type SessionRecord, sessionIdHash, sidOf } from '@curfew/contracts';
import type { SessionStore } from '../store/session-store.ts';
import type { SubjectVersions, VersionStore } from '../store/version-store.ts';
import type { Grant, Grants, Mode } from './grants.ts';
import type { OnLifecycle } from './lifecycle.ts';
import type { RefreshClaims, RefreshTokens } from './refresh-tokens.ts';
import type { Revocations } from './revocations.ts';
import { assertFresh, type Freshness, renewalOf, standingOf } from './standing.ts';
import type { UntilTold } from './until-told.ts';

export interface RenewalsOptions extends Freshness {
  readonly versions: VersionStore;
  readonly store: SessionStore;
  readonly revocations: Pick<Revocations, 'end'>;
  readonly grants: Grants;
  readonly refreshTokens: Pick<RefreshTokens, 'read' | 'successorsOf'>;
  readonly untilTold: Pick<UntilTold, 'tell'>;
  /** How long the refresh token before the newest one, or the id before a cookie's, brings the same again, ms. */
  readonly reuseGraceMs: number;
  readonly onLifecycle?: OnLifecycle;
}

/** What a client shows of its session. */
export type Shown = { readonly refreshToken: string } | { readonly cookie: string };

/** Of the name of an attempt: 8 characters of base64url. */
const ATTEMPT_BYTES = 6;

/** A session that is shown, and may go on. */
export interface ShownSession {
  readonly session: SessionRecord;
  readonly mode: Mode;
  /** What was shown is good again: nothing came of it. Never rejects. */
  readonly giveBack: () => Promise<void>;
}

/** Renews sessions. All methods throw CurfewError `store_unavailable` while Redis does not answer. */
export class Renewals {
  readonly #options: RenewalsOptions;

  constructor(options: RenewalsOptions) {
    this.#options = options;
  }

  /**
   * Renews a session: tokens, or a cookie, that carry the versions and the roles of now. Whoever shows the same at the
   * same time, or again because the answer was lost, gets the same.
   *
   * @throws CurfewError `refresh_token_invalid`, `refresh_token_reused`, `session_invalid` (a cookie), `session_revoked`,
   *   `account_disabled`, `view_stale`
   */
  async renew(shown: Shown): Promise<Grant> {
    const grant = await ('refreshToken' in shown ? this.#refresh(shown.refreshToken) : this.#rotate(shown.cookie));
    this.#options.onLifecycle?.({ change: 'renewed' });
    return grant;
  }

  /**
   * The session that is shown. A refresh token is used up by it, unless it is given back.
   *
   * @param subject whose session it must be, where that is known.
   * @throws CurfewError as `renew`; `subject_mismatch`
   */
  async sessionOf(shown: Shown, subject?: string): Promise<ShownSession> {
    if ('refreshToken' in shown) {
      const claims = await this.#read(shown.refreshToken);
      assertSubject(claims, subject);
      return { ...(await this.#exchange(claims)), mode: 'bearer' };
    }
    const session = await this.#byCookie(shown.cookie);
    if (session?.idHash !== sessionIdHash(shown.cookie)) throw new CurfewError('session_invalid');
    assertSubject(session, subject);
    this.#assertGoesOn(session, await this.#options.versions.read(session.subject, session.tenant, session.sid));
    return { session, mode: 'cookie', giveBack: async () => {} };
  }

  async #refresh(refreshToken: string): Promise<Grant> {
    const claims = await this.#read(refreshToken);
    const { session, giveBack } = await this.#exchange(claims);
    try {
      return await this.#options.grants.bearer(session, claims.generation + 1);
    } catch (error) {
      await giveBack();
      throw error;
    }
  }

  async #read(refreshToken: string): Promise<RefreshClaims> {
    const claims = await this.#options.refreshTokens.read(refreshToken);
    if (claims === undefined) throw new CurfewError('refresh_token_invalid');
    return claims;
  }

  async #exchange(shown: RefreshClaims): Promise<Pick<ShownSession, 'session' | 'giveBack'>> {
    const { store, untilTold, reuseGraceMs } = this.#options;
    const { sid, generation } = shown;
    const attempt = randomBytes(ATTEMPT_BYTES).toString('base64url');
    const giveBack = () => untilTold.tell(sid, () => store.undelivered(sid, generation, attempt));
    // One round trip: what the token says of its session is enough to read the versions with the exchange.
    const [exchanging, reading] = await Promise.allSettled([
      store.exchange(sid, generation, reuseGraceMs, attempt),
      this.#options.versions.read(shown.subject, shown.tenant, sid),
    ]);
    if (exchanging.status === 'rejected') {
      // It may have been made all the same.
      void giveBack();
      throw exchanging.reason;
    }
    const exchange = exchanging.value;
    if (exchange.outcome === 'absent' || exchange.record.subject !== shown.subject)
      throw new CurfewError('refresh_token_invalid');
    const { record, outcome } = exchange;
    if (outcome === 'ended' || outcome === 'reused') {
      // A session that has been revoked is no theft: clients try an old token twice.
      if (reading.status === 'fulfilled' && standingOf(record, reading.value) === 'revoked')
        throw new CurfewError('session_revoked');
      if (outcome === 'ended') throw new CurfewError('refresh_token_reused');
      return this.#reused(record);
    }
    try {
      if (reading.status === 'rejected') throw reading.reason;
      return { session: await this.#renewed(record, reading.value), giveBack };
    } catch (error) {
      await giveBack();
      throw error;
    }
  }

  /** A refresh token is out twice, and nobody can tell who stole it: the session ends for both (RFC 9700, 4.14.2). */
  async #reused({ sid, subject }: SessionRecord): Promise<never> {
    const { store, revocations, onLifecycle } = this.#options;
    onLifecycle?.({ change: 'reuse-detected' });
    await revocations.end({ subject, session: sid, reason: 'refresh-reuse', initiatingEntity: 'policy' }, () =>
      store.remove(sid, subject),
    );
    onLifecycle?.({ change: 'ended', reason: 'refresh-reuse' });
    throw new CurfewError('refresh_token_reused');
  }

  /** Where the session has to take something on, it goes on with a new id. */
  async #rotate(id: string): Promise<Grant> {
    const { store, grants, refreshTokens, versions, reuseGraceMs } = this.#options;
    const session = await this.#byCookie(id);
    if (session === undefined) throw new CurfewError('session_invalid');
    const { subject, tenant, sid } = session;
    const read = await versions.read(subject, tenant, sid);
    this.#assertGoesOn(session, read);
    const shown = sessionIdHash(id);
    if (session.idHash === shown && standingOf(session, read) === 'active') return grants.cookie(session, id);

    const successors = refreshTokens.successorsOf(id);
    const next = sessionIdHash(successors[0]);
    const renewed = await store.renew(sid, renewalOf(session, read), { shown, next, graceMs: reuseGraceMs });
    // Another tab may have been first, at an instance with other keys.
    const successor = successors.find((one) => sessionIdHash(one) === renewed?.idHash);
    if (renewed === undefined || successor === undefined) throw new CurfewError('session_invalid');
    return grants.cookie(renewed, successor);
  }

  /** The session that an id opens, or did before: to any other it says nothing of itself. */
  async #byCookie(id: string): Promise<SessionRecord | undefined> {
    const session = isSessionId(id) ? await this.#options.store.read(sidOf(id)) : undefined;
    const ids = [session?.idHash, session?.previousIdHash];
    return session?.ended === undefined && ids.includes(sessionIdHash(id)) ? session : undefined;
  }

  async #renewed(session: SessionRecord, read: SubjectVersions): Promise<SessionRecord> {
    this.#assertGoesOn(session, read);
    const renewal = renewalOf(session, read);
    if (standingOf(session, read) === 'active') return { ...session, ...renewal };
    const renewed = await this.#options.store.renew(session.sid, renewal);
    if (renewed === undefined) throw new CurfewError('refresh_token_invalid');
    return renewed;
  }

  /** @throws CurfewError `session_revoked`, `account_disabled`, `view_stale` */
  #assertGoesOn(session: SessionRecord, read: SubjectVersions): void {
    if (standingOf(session, read) === 'revoked') throw new CurfewError('session_revoked');
    if (read.blocked) throw new CurfewError('account_disabled');
    assertFresh(read, this.#options);
  }
}

/** @throws CurfewError `subject_mismatch` */
function assertSubject({ subject }: { readonly subject: string }, wanted: string | undefined): void {
  if (wanted !== undefined && subject !== wanted) throw new CurfewError('subject_mismatch');
}
