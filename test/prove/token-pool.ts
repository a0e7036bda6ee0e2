import type { Outcome } from './history.ts';
import type { Random } from './random.ts';

const RECENT_TOKENS = 120;

/** The tokens that a sidecar is asked about: mostly those that an event may end next, or has just ended. */
export class TokenPool {
  readonly #random: Random;
  readonly #accessTokens = new Map<number, string>();
  readonly #all: number[] = [];
  /** Not rejected yet. */
  #alive: number[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  add(token: number, accessToken: string): void {
    this.#accessTokens.set(token, accessToken);
    this.#all.push(token);
    this.#alive.push(token);
  }

  accessToken(token: number): string | undefined {
    return this.#accessTokens.get(token);
  }

  /** Whom to ask about next; undefined: there is nobody yet. */
  draw(): number | undefined {
    if (this.#all.length === 0) return undefined;
    const draw = this.#random.next();
    if (draw < 0.6 && this.#alive.length > 0) return this.#random.pick(this.#alive);
    return this.#random.pick(draw < 0.9 ? this.#all.slice(-RECENT_TOKENS) : this.#all);
  }

  /** What was said of a token: one that was rejected for good is asked about less. */
  learn(token: number, outcome: Outcome): void {
    if (outcome === 'session_revoked' || outcome === 'session_stale')
      this.#alive = this.#alive.filter((one) => one !== token);
  }
}
