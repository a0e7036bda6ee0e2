import { CurfewError, newSessionId, type SessionRecord, sessionIdHash, sidOf, type Tier } from '@curfew/contracts';
import type { SessionStore } from '../store/session-store.ts';
import type { VersionStore } from '../store/version-store.ts';
import type { Grant, Grants, Mode } from './grants.ts';
import type { EndReason, OnLifecycle } from './lifecycle.ts';
import type { Lifetimes } from './lifetimes.ts';
import type { Renewals, Shown } from './renewals.ts';
import type { Revocations } from './revocations.ts';
import { assertFresh, type Freshness, renewalOf, standingOf, vectorOf } from './standing.ts';
import type { UntilTold } from './until-told.ts';

/** What happens to a sign-in that would be one session too many. */
type LimitRule = 'refuse' | 'end-oldest';

export interface SignInsOptions extends Freshness {
  readonly versions: VersionStore;
  readonly store: SessionStore;
  readonly revocations: Pick<Revocations, 'end'>;
  readonly grants: Grants;
  readonly renewals: Pick<Renewals, 'sessionOf'>;
  readonly untilTold: Pick<UntilTold, 'tell'>;
  readonly lifetimes: Lifetimes;
  /** Most sessions of one subject; 0 for any number. */
  readonly maxSessionsPerSubject: number;
  readonly limitRule: LimitRule;
  readonly sleep: (ms: number) => Promise<void>;
  readonly onLifecycle?: OnLifecycle;
}

/** Where a sign-in stands in the order of its account's events. */
export interface SignInOrder {
  /** The subject's current version, read before the credential was checked: a bump since then refuses the sign-in. */
  readonly asOfVersion?: number;
  /** An account event that the sign-in comes after: it waits until that one is applied, so as not to be ended by it. */
  readonly after?: { readonly partition: number; readonly offset: number };
}

/** What a sign-in says of the session that it asks for. */
export type SignIn = Pick<
  SessionRecord,
  'subject' | 'tenant' | 'roles' | 'acr' | 'amr' | 'device' | 'userAgent' | 'ip' | 'clientId' | 'ux'
> & { readonly tier: Tier; readonly mode: Mode };

/**
 * What is known when the subject of a session has shown a credential again: whose it was, how it was shown, and what
 * changes. Without `roles` the session has those of now.
 */
export type Reauthentication = Partial<Pick<SessionRecord, 'subject' | 'roles' | 'tier' | 'acr' | 'amr'>>;

/** A session to be made. The roles are the session's before it, where it names none. */
type Wanted = Omit<SignIn, 'mode' | 'roles'> & Partial<Pick<SignIn, 'roles'>>;

/** Longest wait for an event to be applied, and how often is looked, ms. */
const AFTER_LIMIT_MS = 1000;
const AFTER_POLL_MS = 5;

/** Makes sessions, each with a new id. All methods throw CurfewError `store_unavailable` while Redis does not answer. */
export class SignIns {
  readonly #options: SignInsOptions;

  constructor(options: SignInsOptions) {
    this.#options = options;
  }

  /**
   * @throws CurfewError `account_disabled`, `subject_changed`, `not_applied_yet`, `view_stale`, `too_many_sessions`,
   *   `session_record_too_large`
   */
  async create({ mode, ...signIn }: SignIn, order: SignInOrder = {}): Promise<Grant> {
    const grant = await this.#create(signIn, mode, order);
    this.#options.onLifecycle?.({ change: 'created' });
    return grant;
  }

  /**
   * The subject of a session has shown a credential again: a session with a new id takes its place, and the old one ends,
   * by an account event.
   *
   * @throws CurfewError as `create`, and as `Renewals.sessionOf`.
   */
  async reauthenticate(shown: Shown, known: Reauthentication, order: SignInOrder = {}): Promise<Grant> {
    const { renewals, onLifecycle } = this.#options;
    const { subject: wanted, ...change } = known;
    const { session: old, mode, giveBack } = await renewals.sessionOf(shown, wanted);
    // Not acr and amr: they are the earlier credential's, and the time of the authentication is this one's.
    const { subject, tenant, tier, device, userAgent, ip, clientId, ux } = old;
    const again = { subject, tenant, tier, device, userAgent, ip, clientId, ux, ...change };
    const signIn = Object.fromEntries(Object.entries(again).filter(([, value]) => value !== undefined));
    try {
      const grant = await this.#create(signIn as unknown as Wanted, mode, order, old);
      try {
        // A log-out, or another re-authentication, was first: what becomes of the session is for them to say.
        if (!(await this.#end(old, 'reauthenticated', 'user'))) throw new CurfewError('session_revoked');
      } catch (error) {
        await this.#takeBack(grant.session);
        throw error;
      }
      onLifecycle?.({ change: 'reauthenticated' });
      return grant;
    } catch (error) {
      await giveBack();
      throw error;
    }
  }

  async #create(
    signIn: Wanted,
    mode: Mode,
    { asOfVersion, after }: SignInOrder,
    replaces?: SessionRecord,
  ): Promise<Grant> {
    const { versions, grants, lifetimes, now } = this.#options;
    if (after) await this.#applied(after.partition, after.offset);
    const read = await versions.read(signIn.subject, signIn.tenant, replaces?.sid);
    if (asOfVersion !== undefined && read.subject.current !== asOfVersion) throw new CurfewError('subject_changed');
    if (read.blocked) throw new CurfewError('account_disabled');
    if (replaces !== undefined && standingOf(replaces, read) === 'revoked') throw new CurfewError('session_revoked');
    assertFresh(read, this.#options);

    const { idleMs, absoluteMs } = lifetimes[signIn.tier];
    // A record has whole seconds.
    const createdAt = Math.floor(now() / 1000) * 1000;
    const id = newSessionId();
    const session: SessionRecord = {
      ...signIn,
      ...vectorOf(read),
      sid: sidOf(id),
      ...(mode === 'cookie' ? { idHash: sessionIdHash(id) } : {}),
      roles: signIn.roles ?? (replaces === undefined ? [] : renewalOf(replaces, read).roles),
      rolesAt: read.subject.current,
      createdAt,
      authenticatedAt: createdAt,
      lastSeenAt: createdAt,
      expiresAt: createdAt + absoluteMs,
      idleMs,
      generation: 0,
      predecessorUntil: 0,
    };
    const grant = mode === 'cookie' ? grants.cookie(session, id) : await grants.bearer(session, 0);
    await this.#store(session, replaces?.sid).catch(async (error) => {
      await this.#takeBack(session);
      throw error;
    });
    return grant;
  }

  /** Nobody has it. */
  #takeBack({ sid, subject }: SessionRecord): Promise<void> {
    const { untilTold, store } = this.#options;
    return untilTold.tell(sid, () => store.remove(sid, subject));
  }

  /** Within the limit. Who signs in again has one session less in a moment, and is not refused. */
  async #store(session: SessionRecord, replaces: string | undefined): Promise<void> {
    const { store, maxSessionsPerSubject: limit, limitRule, onLifecycle } = this.#options;
    const most = limit === 0 || replaces === undefined ? limit : limit + 1;
    for (;;) {
      const { stored, count } = await store.create(session, most);
      if (stored) {
        onLifecycle?.({ change: 'counted', ofSubject: count });
        return;
      }
      // The index also knows sessions that are over by now; looking at them takes those out.
      const others = await store.ofSubject(session.subject);
      if (others.length < most) continue;
      if (limitRule === 'refuse') throw new CurfewError('too_many_sessions', `at most ${limit}`);
      for (const oldest of others.filter(({ sid }) => sid !== replaces).slice(0, others.length - most + 1))
        await this.#end(oldest, 'session-limit', 'policy');
    }
  }

  /** @returns whether nobody else has ended it before. */
  async #end({ sid, subject }: SessionRecord, reason: EndReason, by: 'user' | 'policy'): Promise<boolean> {
    const { revocations, store, onLifecycle } = this.#options;
    let isFirst = true;
    await revocations.end({ subject, session: sid, reason, initiatingEntity: by }, async () => {
      isFirst = await store.remove(sid, subject);
    });
    if (isFirst) onLifecycle?.({ change: 'ended', reason });
    return isFirst;
  }

  async #applied(partition: number, offset: number): Promise<void> {
    const { versions, now, sleep } = this.#options;
    const limit = now() + AFTER_LIMIT_MS;
    while ((await versions.position(partition)) < offset) {
      if (now() >= limit) throw new CurfewError('not_applied_yet');
      await sleep(AFTER_POLL_MS);
    }
  }
}
