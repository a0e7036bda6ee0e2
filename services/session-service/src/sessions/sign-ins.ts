import { CurfewError, newSessionId, type SessionRecord, sidOf, type Tier } from '@curfew/contracts';
import type { SessionStore } from '../store/session-store.ts';
import type { VersionStore } from '../store/version-store.ts';
import type { Grant, Grants, Mode } from './grants.ts';
import type { OnLifecycle } from './lifecycle.ts';
import type { Lifetimes } from './lifetimes.ts';
import type { Renewals, Shown } from './renewals.ts';
import type { Revocations } from './revocations.ts';
import { assertFresh, type Freshness, vectorOf } from './standing.ts';

/** What happens to a sign-in that would be one session too many. */
type LimitRule = 'refuse' | 'end-oldest';

export interface SignInsOptions extends Freshness {
  readonly versions: VersionStore;
  readonly store: SessionStore;
  readonly revocations: Pick<Revocations, 'end'>;
  readonly grants: Grants;
  readonly renewals: Pick<Renewals, 'sessionOf'>;
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

/** What changes when the subject of a session shows a credential again. */
export type Reauthentication = Partial<Pick<SessionRecord, 'roles' | 'tier' | 'acr' | 'amr'>>;

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
  async reauthenticate(shown: Shown, change: Reauthentication, order: SignInOrder = {}): Promise<Grant> {
    const { renewals, revocations, store, onLifecycle } = this.#options;
    const { session: old, mode } = await renewals.sessionOf(shown);
    const { subject, tenant, roles, tier, acr, amr, device, userAgent, ip, clientId, ux } = old;
    const again = { subject, tenant, roles, tier, acr, amr, device, userAgent, ip, clientId, ux, ...change };
    const signIn = Object.fromEntries(Object.entries(again).filter(([, value]) => value !== undefined));
    const grant = await this.#create(signIn as unknown as Omit<SignIn, 'mode'>, mode, order, old.sid);
    await revocations.end({ subject, session: old.sid, reason: 'reauthenticated', initiatingEntity: 'user' }, () =>
      store.remove(old.sid, subject),
    );
    onLifecycle?.({ change: 'reauthenticated' });
    onLifecycle?.({ change: 'ended', reason: 'reauthenticated' });
    return grant;
  }

  async #create(
    signIn: Omit<SignIn, 'mode'>,
    mode: Mode,
    { asOfVersion, after }: SignInOrder,
    replaces?: string,
  ): Promise<Grant> {
    const { versions, grants, lifetimes, now } = this.#options;
    if (after) await this.#applied(after.partition, after.offset);
    const read = await versions.read(signIn.subject, signIn.tenant);
    if (asOfVersion !== undefined && read.subject.current !== asOfVersion) throw new CurfewError('subject_changed');
    if (read.blocked) throw new CurfewError('account_disabled');
    assertFresh(read, this.#options);

    const { idleMs, absoluteMs } = lifetimes[signIn.tier];
    // A record has whole seconds.
    const createdAt = Math.floor(now() / 1000) * 1000;
    const id = newSessionId();
    const session: SessionRecord = {
      ...signIn,
      ...vectorOf(read),
      sid: sidOf(id),
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
    await this.#store(session, replaces);
    return grant;
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
      for (const { sid } of others.filter(({ sid }) => sid !== replaces).slice(0, others.length - most + 1))
        await this.#endOldest(session.subject, sid);
    }
  }

  async #endOldest(subject: string, sid: string): Promise<void> {
    const { revocations, store, onLifecycle } = this.#options;
    await revocations.end({ subject, session: sid, reason: 'session-limit', initiatingEntity: 'policy' }, () =>
      store.remove(sid, subject),
    );
    onLifecycle?.({ change: 'ended', reason: 'session-limit' });
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
