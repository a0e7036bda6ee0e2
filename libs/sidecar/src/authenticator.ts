import type { SessionVersions, Verdict } from '@curfew/replica';
import { LRUCache } from 'lru-cache';
import type { Acceptances } from './acceptances.ts';
import type { Clock } from './clock.ts';
import type { ReadThrough } from './read-through.ts';
import {
  type Authentication,
  type Policy,
  REJECTIONS,
  type Rejection,
  type RejectionCode,
  type RouteRefusal,
  type Session,
  type VerifiedToken,
  verifiedToken,
} from './session.ts';
import type { TokenCheck } from './token-check.ts';

export interface AuthenticatorOptions {
  readonly checkToken: TokenCheck;
  /** The replica's word at a time that the clock has just told: synchronous, and allocates nothing. */
  readonly checkAt: (versions: SessionVersions, maxViewAgeMs: number, elapsed: number) => Verdict;
  /** Absent where there is no store. */
  readonly readThrough: ReadThrough | undefined;
  /** Hears of every request that is accepted, whatever accepts it. */
  readonly acceptances: Pick<Acceptances, 'add' | 'takeBack'>;
  readonly tokenCacheSize: number;
  readonly clock: Pick<Clock, 'epoch' | 'elapsed'>;
  /** Hears of each session whose request evidence rejects. */
  readonly onRejected?: (versions: SessionVersions, code: RejectionCode) => void;
}

/** Passed to every `get`, whose default argument would be an object per call. */
const GET = {};

/** How often each decision was made since the start, by what decided. */
export interface Counts {
  readonly token: Record<'expired' | 'invalid' | 'unprovable', number>;
  readonly memory: Record<'active' | 'stale' | 'revoked', number>;
  readonly store: Record<'active' | 'stale' | 'revoked', number>;
  /**
   * `unprovable`: answered 503. `unproven`: accepted on a lenient route. The others: a cookie that came from another site,
   * and a session that was not enough for its route; an accepted one stands under what accepted it as well.
   */
  readonly policy: Record<'unprovable' | 'unproven' | RouteRefusal['code'], number>;
  tokenHits: number;
  tokenMisses: number;
}

/** The ladder of DESIGN section 7 for one token: cache or signature, replica, store, policy. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #tokens: LRUCache<string, VerifiedToken>;
  readonly counts: Counts = {
    token: { expired: 0, invalid: 0, unprovable: 0 },
    memory: { active: 0, stale: 0, revoked: 0 },
    store: { active: 0, stale: 0, revoked: 0 },
    policy: { unprovable: 0, unproven: 0, cross_site_request: 0, insufficient_user_authentication: 0 },
    tokenHits: 0,
    tokenMisses: 0,
  };

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#tokens = new LRUCache({ max: options.tokenCacheSize });
  }

  /** The answer itself where memory has it, so that a request in the ordinary case waits for no promise. */
  authenticate(token: string, policy: Policy, maxViewAgeMs: number): Authentication | Promise<Authentication> {
    const known = this.#tokens.get(token, GET);
    if (known === undefined) return this.#verify(token, policy, maxViewAgeMs);
    const { clock } = this.#options;
    const elapsed = clock.elapsed();
    if (clock.epoch + elapsed >= known.expiresAt) {
      this.#tokens.delete(token);
      return this.#verify(token, policy, maxViewAgeMs);
    }
    this.counts.tokenHits++;
    const answer = this.decide(known, policy, maxViewAgeMs, elapsed);
    return answer instanceof Promise ? this.#toldLate(known, answer) : this.told(known, answer);
  }

  async #verify(token: string, policy: Policy, maxViewAgeMs: number): Promise<Authentication> {
    this.counts.tokenMisses++;
    const checked = await this.#options.checkToken(token);
    if (!checked.ok) return this.refuse(checked.code);
    const verified = verifiedToken(checked.claims);
    this.#tokens.set(token, verified);
    return this.told(verified, await this.decide(verified, policy, maxViewAgeMs, this.#options.clock.elapsed()));
  }

  // Not a closure in `authenticate`: what it holds would be allocated for every request.
  async #toldLate(token: VerifiedToken, answer: Promise<Authentication>): Promise<Authentication> {
    return this.told(token, await answer);
  }

  /** What a request is told at last: `decide` alone may be asked again. */
  told(token: VerifiedToken, answer: Authentication): Authentication {
    if (!answer.ok && answer.source !== 'policy') this.#options.onRejected?.(token.versions, answer.code);
    return answer;
  }

  /** A request that was accepted is turned away for another reason. */
  takeBack(versions: SessionVersions): void {
    this.#options.acceptances.takeBack(versions);
  }

  /** Says no by the credential alone. */
  refuse(code: Extract<RejectionCode, 'session_expired' | 'session_invalid' | 'not_ready'>): Rejection {
    if (code === 'session_expired') this.counts.token.expired++;
    else if (code === 'session_invalid') this.counts.token.invalid++;
    else this.counts.token.unprovable++;
    return REJECTIONS.token[code];
  }

  /** Says that nothing can be said now. */
  unprovable(): Rejection {
    this.counts.policy.unprovable++;
    return REJECTIONS.policy.view_stale;
  }

  /** Decides about what was verified: by memory, by Redis, by the policy. */
  decide(
    token: VerifiedToken,
    policy: Policy,
    maxViewAgeMs: number,
    elapsed: number,
  ): Authentication | Promise<Authentication> {
    const verdict = this.#options.checkAt(token.versions, maxViewAgeMs, elapsed);
    if (verdict !== 'unprovable') return this.#answer(token, verdict, 'memory', elapsed);
    const { readThrough } = this.#options;
    if (readThrough === undefined) return this.#answerByPolicy(token, policy, elapsed);
    return this.#decideByStore(token, policy, maxViewAgeMs, readThrough);
  }

  async #decideByStore(
    token: VerifiedToken,
    policy: Policy,
    maxViewAgeMs: number,
    store: ReadThrough,
  ): Promise<Authentication> {
    const read = await store.check(token.versions, maxViewAgeMs);
    // A bump may have been applied here while the read was under way: what the replica knows outweighs an older read.
    const elapsed = this.#options.clock.elapsed();
    const known = this.#options.checkAt(token.versions, maxViewAgeMs, elapsed);
    if (known === 'revoked' || (known === 'stale' && read !== 'revoked'))
      return this.#answer(token, known, 'memory', elapsed);
    if (read !== 'unprovable') return this.#answer(token, read, 'store', elapsed);
    // The views may have become young again meanwhile.
    if (known === 'active') return this.#answer(token, known, 'memory', elapsed);
    return this.#answerByPolicy(token, policy, elapsed);
  }

  #answer(
    token: VerifiedToken,
    verdict: Exclude<Verdict, 'unprovable'>,
    source: 'memory' | 'store',
    elapsed: number,
  ): Authentication {
    this.counts[source][verdict]++;
    if (verdict === 'active') return this.#accept(token, source, elapsed);
    return REJECTIONS[source][verdict === 'revoked' ? 'session_revoked' : 'session_stale'];
  }

  #answerByPolicy(token: VerifiedToken, policy: Policy, elapsed: number): Authentication {
    if (policy !== 'lenient') return this.unprovable();
    this.counts.policy.unproven++;
    return this.#accept(token, 'policy', elapsed);
  }

  #accept({ versions, accepted }: VerifiedToken, source: Session['source'], elapsed: number): Authentication {
    this.#options.acceptances.add(versions, elapsed);
    return accepted[source];
  }
}
