import type { SecurityEventToken } from '@curfew/contracts';

/** An account event that is to be published, and since when, ms since the epoch. */
export interface Waiting {
  readonly set: SecurityEventToken;
  readonly since: number;
}

/** Account events of the session service's own, from the decision until the bus has acknowledged them. */
export interface Outbox {
  add(waiting: Waiting): Promise<void>;
  remove(waiting: Waiting): Promise<void>;
  /** The one that has waited longest. */
  first(): Promise<Waiting | undefined>;
}
