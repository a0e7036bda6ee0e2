import type { CurfewError } from '@curfew/contracts';
import type { Board } from './board.ts';
import { POINT_INTERVAL_MS, type Point } from './series.ts';
import type { SessionService } from './session-service.ts';

export interface WatchOptions {
  readonly board: Board;
  readonly sessionService: Pick<SessionService, 'sidecars' | 'revocations' | 'metrics' | 'notReady'>;
  readonly now: () => number;
  /** After every round of questions; with a point of the series where it ended five seconds. */
  readonly onRound: (point: Point | undefined) => void;
}

/** Between two rounds of questions, ms. */
const ROUND_MS = 1000;

/** Most revocations that are asked for. */
const LIMIT = '1000';

/** Asks the session service once a second what there is, and never twice at a time. */
export class Watch {
  readonly #options: WatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #nextPoint: number;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#nextPoint = options.now() + POINT_INTERVAL_MS;
  }

  start(): void {
    void this.#loop();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** One round of questions. */
  async round(): Promise<void> {
    const { board, sessionService, now, onRound } = this.#options;
    try {
      const since = new Date(board.since(now())).toISOString();
      const [notReady, sidecars, revocations, metrics] = await Promise.all([
        sessionService.notReady(),
        sessionService.sidecars(),
        sessionService.revocations({ canaries: 'true', limit: LIMIT, since }),
        sessionService.metrics(),
      ]);
      board.heard({ sidecars, revocations, metrics, notReady }, now());
    } catch (error) {
      board.missed((error as CurfewError).detail ?? (error as Error).message);
    }
    const ends = now() >= this.#nextPoint;
    if (ends) this.#nextPoint = now() + POINT_INTERVAL_MS;
    onRound(ends ? board.mark(now()) : undefined);
  }

  async #loop(): Promise<void> {
    const { now } = this.#options;
    const began = now();
    await this.round();
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#loop(), Math.max(0, began + ROUND_MS - now())).unref();
  }
}
