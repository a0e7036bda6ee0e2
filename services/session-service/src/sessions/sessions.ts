import { CurfewError, MAX_UX_BYTES, type SessionRecord } from '@curfew/contracts';
import type { SessionStore } from '../store/session-store.ts';
import type { VersionStore } from '../store/version-store.ts';
import type { EndReason, OnLifecycle } from './lifecycle.ts';
import type { Revocation, Revocations } from './revocations.ts';
import { type Standing, standingOf } from './standing.ts';

export interface SessionsOptions {
  readonly versions: VersionStore;
  readonly store: SessionStore;
  readonly revocations: Pick<Revocations, 'end'>;
  readonly onLifecycle?: OnLifecycle;
}

export interface StandingSession {
  readonly session: SessionRecord;
  readonly standing: Standing;
}

/** Looks at sessions, and ends them. All methods throw CurfewError `store_unavailable` while Redis does not answer. */
export class Sessions {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** @throws CurfewError `session_not_found` */
  async read(sid: string): Promise<StandingSession> {
    const session = await this.#find(sid);
    const read = await this.#options.versions.read(session.subject, session.tenant, sid);
    return { session, standing: standingOf(session, read) };
  }

  /** The subject's sessions that may go on, the oldest first. */
  async ofSubject(subject: string): Promise<StandingSession[]> {
    const { store, versions } = this.#options;
    const sessions = await store.ofSubject(subject);
    const standing = await Promise.all(
      sessions.map(async (session) => {
        const read = await versions.read(subject, session.tenant, session.sid);
        return { session, standing: standingOf(session, read) };
      }),
    );
    return standing.filter((one) => one.standing !== 'revoked');
  }

  /**
   * Ends one session, by an account event like any other end. It cannot be renewed from now on, and services reject it
   * once the event is acknowledged.
   *
   * @throws CurfewError `session_not_found`
   */
  async end(sid: string, reason: EndReason = 'logout'): Promise<Revocation> {
    const { store, revocations, onLifecycle } = this.#options;
    const { subject } = await this.#find(sid);
    const revocation = await revocations.end({ subject, session: sid, reason, initiatingEntity: 'user' }, () =>
      store.remove(sid, subject),
    );
    onLifecycle?.({ change: 'ended', reason });
    return revocation;
  }

  /**
   * Ends all sessions of a subject by one account event, those too whose records were lost; or all but one, which has to
   * renew.
   *
   * @throws CurfewError `session_not_found` where the one to be spared is not the subject's.
   */
  async endAll(subject: string, except?: string): Promise<Revocation> {
    const { store, revocations, onLifecycle } = this.#options;
    if (except !== undefined && (await this.#find(except)).subject !== subject)
      throw new CurfewError('session_not_found');
    const reason = except === undefined ? 'logout-everywhere' : 'logout-others';
    const spared = except === undefined ? {} : { exceptSession: except };
    let count = 0;
    const revocation = await revocations.end({ subject, ...spared, reason, initiatingEntity: 'user' }, async () => {
      const others = (await store.ofSubject(subject)).filter(({ sid }) => sid !== except);
      count = others.length;
      await Promise.all(others.map(({ sid }) => store.remove(sid, subject)));
    });
    onLifecycle?.({ change: 'ended', reason, count });
    return revocation;
  }

  /**
   * Sets what a user interface keeps with the session, all of it.
   *
   * @throws CurfewError `session_record_too_large`, `session_not_found`
   */
  async setUx(sid: string, ux: Readonly<Record<string, string>>): Promise<void> {
    assertUxFits(ux);
    await this.#options.store.setUx(sid, ux);
  }

  async #find(sid: string): Promise<SessionRecord> {
    const session = await this.#options.store.read(sid);
    if (session === undefined || session.ended !== undefined) throw new CurfewError('session_not_found');
    return session;
  }
}

/** @throws CurfewError `session_record_too_large` */
export function assertUxFits(ux: Readonly<Record<string, string>> | undefined): void {
  if (ux !== undefined && Buffer.byteLength(JSON.stringify(ux)) > MAX_UX_BYTES)
    throw new CurfewError('session_record_too_large', `ux is more than ${MAX_UX_BYTES} bytes of JSON`);
}
