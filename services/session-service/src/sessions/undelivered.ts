import type { SessionStore } from '../store/session-store.ts';
import type { RefreshClaims } from './refresh-tokens.ts';

export interface UndeliveredOptions {
  readonly store: Pick<SessionStore, 'undelivered' | 'unanswered'>;
  /** As the store was given it with the exchange, ms. */
  readonly reuseGraceMs: number;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
  /** Waits before the store is told again: about a second, not the same for all. */
  readonly pause: () => Promise<void>;
}

/** As long as any session may live unused, and more, ms. */
const DAY_MS = 86_400_000;
/** How long a client is given that got no answer, ms, from when the store is told. */
const UNKNOWN_MS = 60_000;
/** Most that wait to be told. Of what comes then the client signs in again. */
const MAX_WAITING = 10_000;

/**
 * Refresh tokens that were, or may have been, exchanged for a successor that nobody got. Shown again later than the
 * grace allows they would look like stolen ones, so the store is told, as often as it takes. No method rejects.
 */
export class Undelivered {
  readonly #options: UndeliveredOptions;
  #waiting = 0;

  constructor(options: UndeliveredOptions) {
    this.#options = options;
  }

  /**
   * Nobody got the successor: the token is good until somebody does, or its session ends.
   *
   * @param until when it is exchanged, as the exchange left it, ms.
   */
  certainly({ sid, generation }: RefreshClaims, until: number): Promise<void> {
    return this.#tell(() => this.#options.store.undelivered(sid, generation, until, until + DAY_MS));
  }

  /** It was exchanged before, and its successor may well have been delivered then: all is as it was, `before`. */
  again({ sid, generation }: RefreshClaims, until: number, before: number): Promise<void> {
    return this.#tell(() => this.#options.store.undelivered(sid, generation, until, before));
  }

  /** The store gave no answer: nobody knows. @param beganAt when it was asked, ms on the clock. */
  perhaps({ sid, generation }: RefreshClaims, beganAt: number): Promise<void> {
    const { store, now, reuseGraceMs } = this.#options;
    return this.#tell(() => store.unanswered(sid, generation, now() - beganAt, reuseGraceMs, UNKNOWN_MS));
  }

  async #tell(what: () => Promise<void>): Promise<void> {
    const isTold = () =>
      what().then(
        () => true,
        () => false,
      );
    if (!(await isTold()) && this.#waiting < MAX_WAITING) void this.#tellAgain(isTold);
  }

  async #tellAgain(isTold: () => Promise<boolean>): Promise<void> {
    this.#waiting++;
    do await this.#options.pause();
    while (!(await isTold()));
    this.#waiting--;
  }
}
