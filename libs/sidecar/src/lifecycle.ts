/** `starting` until every partition is read to its end; then `live`, or `degraded` while any of them is not. */
export type Status = 'idle' | 'starting' | 'live' | 'degraded' | 'closed';

/** Where each state may lead. `degraded` never leads back to `starting`: what was applied stays applied. */
const NEXT: Readonly<Record<Status, readonly Status[]>> = {
  idle: ['starting', 'closed'],
  starting: ['live', 'closed'],
  live: ['degraded', 'closed'],
  degraded: ['live', 'closed'],
  closed: [],
};

export class Lifecycle {
  #status: Status = 'idle';

  get status(): Status {
    return this.#status;
  }

  /** Whether every bump since the horizon has been applied once. */
  get complete(): boolean {
    return this.#status === 'live' || this.#status === 'degraded';
  }

  /** Goes to a state where that is allowed from here, and says whether it did. */
  turn(status: Status): boolean {
    if (!NEXT[this.#status].includes(status)) return false;
    this.#status = status;
    return true;
  }
}
