import { backoffMs } from './backoff.ts';

/** Failures in a row after which the other side is left alone. */
const FAILURES_TO_OPEN = 3;

/** `closed`: calls go through. `open`: none does. `probing`: the pause is over, and one call is finding out. */
type CircuitState = 'closed' | 'open' | 'probing';

/** Keeps calls from a side that does not answer, and lets one through now and then, at a time with jitter. */
export class Circuit {
  readonly #now: () => number;
  readonly #random: () => number;
  #state: CircuitState = 'closed';
  #failures = 0;
  /** When the next probe may go, ms on the clock. */
  #probeAt = 0;

  constructor(now: () => number, random: () => number = Math.random) {
    this.#now = now;
    this.#random = random;
  }

  /** true while calls are kept back. */
  get open(): boolean {
    return this.#state !== 'closed';
  }

  /** Whether a call may go now. Who gets true must say how it ended. */
  admits(): boolean {
    if (this.#state === 'closed') return true;
    if (this.#state === 'probing' || this.#now() < this.#probeAt) return false;
    this.#state = 'probing';
    return true;
  }

  succeeded(): void {
    this.#state = 'closed';
    this.#failures = 0;
  }

  failed(): void {
    this.#failures++;
    if (this.#failures < FAILURES_TO_OPEN) return;
    this.#state = 'open';
    this.#probeAt = this.#now() + backoffMs(this.#failures - FAILURES_TO_OPEN + 1, this.#random());
  }
}
