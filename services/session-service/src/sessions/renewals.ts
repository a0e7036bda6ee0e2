import { CurfewError, isSessionId, type SessionRecord, sidOf } from '@curfew/contracts';
import type { SessionStore } from '../store/session-store.ts';
import type { SubjectVersions, VersionStore } from '../store/version-store.ts';
import type { Grant, Grants, Mode } from './grants.ts';
import type { OnLifecycle } from './lifecycle.ts';
import type { RefreshClaims, RefreshTokens } from './refresh-tokens.ts';
import type { Revocations } from './revocations.ts';
import { assertFresh, type Freshness, renewalOf, standingOf } from './standing.ts';

export interface RenewalsOptions extends Freshness {
  readonly versions: VersionStore;
  readonly store: SessionStore;
  readonly revocations: Pick<Revocations, 'end'>;
  readonly grants: Grants;
  readonly refreshTokens: Pick<RefreshTokens, 'read' | 'successorOf'>;
  /** How long the refresh token before the newest one brings the same successor again, ms. */
  readonly reuseGraceMs: number;
  readonly onLifecycle?: OnLifecycle;
}

/** What a client shows of its session. */
export type Shown = { readonly refreshToken: string } | { readonly cookie: string };

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
    const grant = await ('refreshToken' in shown ? this.#exchange(shown.refreshToken) : this.#replace(shown.cookie));
    this.#options.onLifecycle?.({ change: 'renewed' });
    return grant;
  }

  /**
   * The session that is shown, and may go on. A refresh token is used up by it.
   *
   * @throws CurfewError as `renew`.
   */
  async sessionOf(shown: Shown): Promise<{ session: SessionRecord; mode: Mode }> {
    if ('refreshToken' in shown) {
      const { session } = await this.#exchange(shown.refreshToken);
      return { session, mode: 'bearer' };
    }
    const session = await this.#byCookie(shown.cookie);
    if (session.ended !== undefined) throw new CurfewError('session_invalid');
    const { tenant, subject, sid } = session;
    this.#assertGoesOn(session, await this.#options.versions.read(subject, tenant, sid));
    return { session, mode: 'cookie' };
  }

  async #exchange(refreshToken: string): Promise<Grant> {
    const { refreshTokens, store, grants, reuseGraceMs } = this.#options;
    const shown = await refreshTokens.read(refreshToken);
    if (shown === undefined) throw new CurfewError('refresh_token_invalid');
    // One round trip: what the token says of its session is enough to read the versions with the exchange.
    const [exchanging, reading] = await Promise.allSettled([
      store.exchange(shown.sid, shown.generation, reuseGraceMs),
      this.#options.versions.read(shown.subject, shown.tenant, shown.sid),
    ]);
    if (exchanging.status === 'rejected') throw exchanging.reason;
    const exchange = exchanging.value;
    if (exchange.outcome === 'ended') throw new CurfewError('refresh_token_reused');
    if (exchange.outcome === 'absent' || exchange.record.subject !== shown.subject)
      throw new CurfewError('refresh_token_invalid');
    if (exchange.outcome === 'reused') return this.#reused(exchange.record);
    try {
      if (reading.status === 'rejected') throw reading.reason;
      const session = await this.#renewed(exchange.record, reading.value);
      return await grants.bearer(session, shown.generation + 1);
    } catch (error) {
      await this.#undelivered(shown);
      throw error;
    }
  }

  /** Nobody got the successor: showing the predecessor later than the grace allows is no theft then. */
  async #undelivered({ sid, generation }: RefreshClaims): Promise<void> {
    await this.#options.store.undelivered(sid, generation).catch(() => {});
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

  /** Where the session has to take something on, a session with a new id takes its place. */
  async #replace(id: string): Promise<Grant> {
    const { store, grants, refreshTokens, versions, reuseGraceMs } = this.#options;
    const session = await this.#byCookie(id);
    const read = await versions.read(session.subject, session.tenant, session.sid);
    this.#assertGoesOn(session, read);
    if (session.ended === undefined && standingOf(session, read) === 'active') return grants.cookie(session, id);

    const successorId = refreshTokens.successorOf(id);
    if (session.ended === undefined) {
      const successor = { ...session, ...renewalOf(session, read), sid: sidOf(successorId) };
      await store.create(successor);
      await store.replace(session.sid, session.subject, reuseGraceMs);
      return grants.cookie(successor, successorId);
    }
    const successor = await store.read(sidOf(successorId));
    if (successor === undefined) throw new CurfewError('session_invalid');
    return grants.cookie(successor, successorId);
  }

  async #byCookie(id: string): Promise<SessionRecord> {
    const session = isSessionId(id) ? await this.#options.store.read(sidOf(id)) : undefined;
    if (session === undefined || session.ended === 'refresh-reuse') throw new CurfewError('session_invalid');
    return session;
  }

  async #renewed(session: SessionRecord, read: SubjectVersions): Promise<SessionRecord> {
    this.#assertGoesOn(session, read);
    const renewal = renewalOf(session, read);
    if (standingOf(session, read) === 'stale') await this.#options.store.renew(session.sid, renewal);
    return { ...session, ...renewal };
  }

  /** @throws CurfewError `session_revoked`, `account_disabled`, `view_stale` */
  #assertGoesOn(session: SessionRecord, read: SubjectVersions): void {
    if (standingOf(session, read) === 'revoked') throw new CurfewError('session_revoked');
    if (read.blocked) throw new CurfewError('account_disabled');
    assertFresh(read, this.#options);
  }
}
