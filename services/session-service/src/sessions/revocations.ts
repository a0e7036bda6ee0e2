import { randomUUID } from 'node:crypto';
import { CurfewError } from '@curfew/contracts';
import { type Published, type Publisher, type SessionRevocation, sessionRevocation, setOf } from '@curfew/publisher';
import type { Outbox, Waiting } from '../store/outbox.ts';

/** The bus has the event, or it will have it: the event waits in the outbox. */
export type Revocation = Published | { readonly id: string; readonly status: 'accepted, not yet effective' };

export interface RevocationsOptions {
  readonly issuer: string;
  readonly outbox: Outbox;
  readonly publisher: Pick<Publisher, 'publish' | 'notReady'>;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
  /** Hears why the outbox is not emptied; it is tried again. */
  readonly warn: (message: string, error: unknown) => void;
}

/** How often the outbox is looked at, ms. */
const DRAIN_INTERVAL_MS = 1000;
/** What is younger is still being published by the request that put it there, ms. */
const OWN_ATTEMPT_MS = 5000;

/**
 * Publishes the session service's own account events. Each is in the outbox before it is sent and until it is
 * acknowledged, so that a logout holds while the bus is down, and through a crash. One may be published twice, which
 * ends nothing more.
 */
export class Revocations {
  readonly #options: RevocationsOptions;
  #timer: NodeJS.Timeout | undefined;
  #draining: Promise<void> | undefined;

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.drain(), DRAIN_INTERVAL_MS).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#draining;
  }

  /**
   * Decides that sessions end. Once this resolves, they will.
   *
   * @param decided hears that it is certain, before the bus is asked. What it fails to tidy up, the event does.
   * @throws CurfewError `store_unavailable`: nothing was decided.
   */
  async end(revocation: SessionRevocation, decided: () => Promise<unknown> = async () => {}): Promise<Revocation> {
    const { outbox, publisher, issuer, now, warn } = this.#options;
    const since = now();
    const waiting = { set: setOf(sessionRevocation(revocation, since), issuer, randomUUID(), since), since };
    await outbox.add(waiting);
    await decided().catch((error) => warn('what an account event ends is still stored, until it is applied', error));
    const pending = { id: waiting.set.jti, status: 'accepted, not yet effective' } as const;
    if (publisher.notReady().length > 0) return pending;
    try {
      const published = await publisher.publish(waiting.set);
      await outbox.remove(waiting);
      return published;
    } catch (error) {
      if (error instanceof CurfewError && (error.code === 'bus_unavailable' || error.code === 'store_unavailable'))
        return pending;
      throw error;
    }
  }

  /** Publishes what waits, in order, until the outbox is empty or the bus does not acknowledge. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #drain(): Promise<void> {
    const { outbox, publisher, now, warn } = this.#options;
    try {
      for (;;) {
        const waiting: Waiting | undefined = publisher.notReady().length > 0 ? undefined : await outbox.first();
        if (waiting === undefined || now() - waiting.since < OWN_ATTEMPT_MS) return;
        await publisher.publish(waiting.set);
        await outbox.remove(waiting);
      }
    } catch (error) {
      warn('the outbox waits: its events are published later', error);
    }
  }
}
