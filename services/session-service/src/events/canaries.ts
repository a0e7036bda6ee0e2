import { canaries } from '@curfew/contracts';
import type { Publisher } from '@curfew/publisher';

export interface CanariesOptions {
  readonly publisher: Pick<Publisher, 'sessionRevoked' | 'notReady'>;
  /** The partitions that are this instance's now. */
  readonly partitions: () => readonly number[];
  /** All of them. */
  readonly count: number;
  /** Between two canaries, ms; 0 for none. */
  readonly intervalMs: number;
}

/**
 * Ends the sessions of subjects that have none, in one partition after the other, so that what a revocation takes is
 * known while nobody revokes anything.
 */
export class Canaries {
  readonly #options: CanariesOptions;
  readonly #subjects: readonly string[];
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;

  constructor(options: CanariesOptions) {
    this.#options = options;
    this.#subjects = canaries(options.count);
  }

  start(): void {
    const { intervalMs } = this.#options;
    if (intervalMs > 0) this.#timer ??= setInterval(() => this.#send(), intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #send(): void {
    const { publisher, partitions } = this.#options;
    const owned = partitions();
    const subject = this.#subjects[owned[this.#turn++ % owned.length] ?? -1];
    if (subject === undefined || publisher.notReady().length > 0) return;
    // One that fails is not missed: the next one is under way soon.
    publisher.sessionRevoked({ subject, initiatingEntity: 'system', reason: 'canary' }).catch(() => {});
  }
}
