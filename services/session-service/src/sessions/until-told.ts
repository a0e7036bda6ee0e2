/** Most sessions of which the store is to be told something, and most that it is told of one. */
const MAX_SESSIONS = 10_000;
const MAX_OF_ONE = 8;

/**
 * Tells the store what it must hear of a session, as often as it takes: that nobody got the successor of a refresh token,
 * which shown again would look like a stolen one, or that nobody has a session. Of what there is no room for the client
 * signs in again, or the session ends unused.
 */
export class UntilTold {
  readonly #pause: () => Promise<void>;
  readonly #waiting = new Map<string, number>();

  /** @param pause waits before the store is told again: about a second, not the same for all. */
  constructor(pause: () => Promise<void>) {
    this.#pause = pause;
  }

  /** Resolves when the store was told once, with or without an answer. It never rejects. */
  async tell(sid: string, what: () => Promise<unknown>): Promise<void> {
    const isTold = () =>
      what().then(
        () => true,
        () => false,
      );
    if (!(await isTold())) void this.#tellAgain(sid, isTold);
  }

  async #tellAgain(sid: string, isTold: () => Promise<boolean>): Promise<void> {
    const ofOne = this.#waiting.get(sid) ?? 0;
    if (ofOne >= MAX_OF_ONE || (ofOne === 0 && this.#waiting.size >= MAX_SESSIONS)) return;
    this.#waiting.set(sid, ofOne + 1);
    do await this.#pause();
    while (!(await isTold()));
    const left = (this.#waiting.get(sid) ?? 1) - 1;
    if (left > 0) this.#waiting.set(sid, left);
    else this.#waiting.delete(sid);
  }
}
