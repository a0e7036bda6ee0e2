import type { SessionVersions, Verdict } from '@curfew/replica';
import { LRUCache } from 'lru-cache';
import type { ReadThrough } from './read-through.ts';
import { type Authentication, type Policy, REJECTIONS, type VerifiedToken, verifiedToken } from './session.ts';
import type { TokenCheck } from './token-check.ts';

export interface AuthenticatorOptions {
  readonly checkToken: TokenCheck;
  /** The replica's word: synchronous, and allocates nothing. */
  readonly check: (versions: SessionVersions) => Verdict;
  /** Absent where there is no store. */
  readonly readThrough: ReadThrough | undefined;
  readonly tokenCacheSize: number;
  readonly now: () => number;
}

/** Passed to every `get`, whose default argument would be an object per call. */
const GET = {};

/** How often each decision was made, since the start. */
export interface Counts {
  active: number;
  stale: number;
  revoked: number;
  expired: number;
  invalid: number;
  /** Answered 503. */
  unprovable: number;
  /** Accepted on a lenient route. */
  unproven: number;
  tokenHits: number;
  tokenMisses: number;
}

/** The ladder of DESIGN section 7 for one token: cache or signature, replica, store, policy. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #tokens: LRUCache<string, VerifiedToken>;
  readonly counts: Counts = {
    active: 0,
    stale: 0,
    revoked: 0,
    expired: 0,
    invalid: 0,
    unprovable: 0,
    unproven: 0,
    tokenHits: 0,
    tokenMisses: 0,
  };

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#tokens = new LRUCache({ max: options.tokenCacheSize });
  }

  /** The answer itself where memory has it, so that a request in the ordinary case waits for no promise. */
  authenticate(token: string, policy: Policy): Authentication | Promise<Authentication> {
    const known = this.#tokens.get(token, GET);
    if (known === undefined) return this.#verify(token, policy);
    if (this.#options.now() >= known.expiresAt) {
      this.#tokens.delete(token);
      return this.#verify(token, policy);
    }
    this.counts.tokenHits++;
    return this.#decide(known, policy);
  }

  async #verify(token: string, policy: Policy): Promise<Authentication> {
    this.counts.tokenMisses++;
    const checked = await this.#options.checkToken(token);
    if (!checked.ok) {
      if (checked.code === 'session_expired') this.counts.expired++;
      else if (checked.code === 'session_invalid') this.counts.invalid++;
      else this.counts.unprovable++;
      return REJECTIONS[checked.code];
    }
    const verified = verifiedToken(checked.claims);
    this.#tokens.set(token, verified);
    return this.#decide(verified, policy);
  }

  #decide(token: VerifiedToken, policy: Policy): Authentication | Promise<Authentication> {
    const verdict = this.#options.check(token.versions);
    if (verdict !== 'unprovable' || this.#options.readThrough === undefined)
      return this.#answer(token, verdict, policy);
    return this.#decideByStore(token, policy, this.#options.readThrough);
  }

  async #decideByStore(token: VerifiedToken, policy: Policy, store: ReadThrough): Promise<Authentication> {
    const read = await store.check(token.versions);
    // A bump may have been applied here while the read was under way: what the replica knows outweighs an older read.
    const known = this.#options.check(token.versions);
    const evidence = known === 'revoked' || (known === 'stale' && read !== 'revoked');
    return this.#answer(token, evidence ? known : read, policy);
  }

  #answer(token: VerifiedToken, verdict: Verdict, policy: Policy): Authentication {
    switch (verdict) {
      case 'active':
        this.counts.active++;
        return token.accepted;
      case 'revoked':
        this.counts.revoked++;
        return REJECTIONS.session_revoked;
      case 'stale':
        this.counts.stale++;
        return REJECTIONS.session_stale;
      case 'unprovable':
        if (policy === 'lenient') {
          this.counts.unproven++;
          return token.acceptedUnproven;
        }
        this.counts.unprovable++;
        return REJECTIONS.view_stale;
    }
  }
}
