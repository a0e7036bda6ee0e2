/**
 * `starting` until the first views are inside the bound; then `live` while all of them are, `behind` while some are not,
 * and `cut-off` while none is.
 */
export type Status = 'idle' | 'starting' | 'live' | 'behind' | 'cut-off' | 'closed';

/** Where each state may lead. None leads back to `starting`: what was applied stays applied. */
const NEXT: Readonly<Record<Status, readonly Status[]>> = {
  idle: ['starting', 'closed'],
  starting: ['live', 'behind', 'closed'],
  live: ['behind', 'cut-off', 'closed'],
  behind: ['live', 'cut-off', 'closed'],
  'cut-off': ['live', 'behind', 'closed'],
  closed: [],
};

export class Lifecycle {
  #status: Status = 'idle';
  readonly #onTurn: (from: Status, to: Status) => void;

  /** @param onTurn hears each change once it is made. */
  constructor(onTurn: (from: Status, to: Status) => void = () => {}) {
    this.#onTurn = onTurn;
  }

  get status(): Status {
    return this.#status;
  }

  /** Goes to a state where that is allowed from here, and says whether it did. */
  turn(status: Status): boolean {
    const from = this.#status;
    if (!NEXT[from].includes(status)) return false;
    this.#status = status;
    this.#onTurn(from, status);
    return true;
  }
}
