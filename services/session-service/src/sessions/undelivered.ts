import type { SessionStore } from '../store/session-store.ts';
import type { RefreshClaims } from './refresh-tokens.ts';

export interface UndeliveredOptions {
  readonly store: Pick<SessionStore, 'undelivered'>;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** How long the client is given that got no answer, ms, from when the store is told. */
const UNKNOWN_MS = 60_000;
/** As long as any session may live unused, and more, ms. */
const DAY_MS = 86_400_000;
/** How often the store is told again, ms. */
const RETRY_MS = 1000;
/** Most that wait to be told. Of what comes then the client signs in again. */
const MAX_WAITING = 10_000;

/**
 * Refresh tokens that were, or may have been, exchanged for a successor that nobody got. Shown again later than the
 * grace allows they would look like stolen ones, so the store is told, as often as it takes. No method rejects.
 */
export class Undelivered {
  readonly #options: UndeliveredOptions;
  /** What the store is told again. */
  readonly #waiting = new Set<string>();

  constructor(options: UndeliveredOptions) {
    this.#options = options;
  }

  /** Nobody got the successor: the token is good until somebody does, or its session ends. */
  certainly(claims: RefreshClaims): Promise<void> {
    return this.#tell(claims, () => this.#options.now() + DAY_MS);
  }

  /** It was exchanged before, and its successor may well have been delivered then: all is as it was. */
  again(claims: RefreshClaims, predecessorUntil: number): Promise<void> {
    return this.#tell(claims, () => predecessorUntil);
  }

  /** The store gave no answer: nobody knows. */
  perhaps(claims: RefreshClaims): Promise<void> {
    return this.#tell(claims, () => this.#options.now() + UNKNOWN_MS);
  }

  async #tell(claims: RefreshClaims, until: () => number): Promise<void> {
    if (!(await this.#tellOnce(claims, until))) void this.#tellAgain(claims, until);
  }

  async #tellOnce({ sid, generation }: RefreshClaims, until: () => number): Promise<boolean> {
    return this.#options.store.undelivered(sid, generation, until()).then(
      () => true,
      () => false,
    );
  }

  async #tellAgain(claims: RefreshClaims, until: () => number): Promise<void> {
    const key = `${claims.sid} ${claims.generation}`;
    if (this.#waiting.has(key) || this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.add(key);
    do await this.#options.sleep(RETRY_MS);
    while (!(await this.#tellOnce(claims, until)));
    this.#waiting.delete(key);
  }
}
