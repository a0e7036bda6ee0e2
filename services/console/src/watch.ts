import type { CurfewError } from '@curfew/contracts';
import type { Board } from './board.ts';
import { HISTORY_MS, POINT_INTERVAL_MS, type Point } from './series.ts';
import type { SessionService } from './session-service.ts';

export interface WatchOptions {
  readonly board: Board;
  readonly sessionService: Pick<SessionService, 'sidecars' | 'revocations' | 'revocation' | 'metrics' | 'notReady'>;
  readonly now: () => number;
  /** After every round of questions; with a point of the series where it ended five seconds. */
  readonly onRound: (point: Point | undefined) => void;
  /** Once, when the last hour is known. */
  readonly onRecall: () => void;
}

/** Between two rounds of questions, ms. */
const ROUND_MS = 1000;

/** Once in so many rounds all is asked for that is no canary: what a partition that stood still announced late, too. */
const THOROUGH = 30;

/** How long the answer with all of the last hour may take, ms. */
const RECALL_TIMEOUT_MS = 30_000;

/** Asks the session service once a second what there is, and never twice at a time. */
export class Watch {
  readonly #options: WatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #nextPoint: number;
  #rounds = 0;
  #recall: 'due' | 'asked' | 'done' = 'due';

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
    if (this.#recall === 'due') void this.#recallHour();
    try {
      const [notReady, sidecars, newest, metrics] = await Promise.all([
        sessionService.notReady(),
        sessionService.sidecars(),
        sessionService.revocations(this.#question()),
        sessionService.metrics(),
      ]);
      const others = await Promise.all(board.pendingBeside(newest).map((id) => sessionService.revocation(id)));
      const revocations = [...newest, ...others.filter((one) => one !== undefined)];
      board.heard({ sidecars, revocations, metrics, notReady }, now());
    } catch (error) {
      board.missed((error as CurfewError).detail ?? (error as Error).message);
    }
    const ends = now() >= this.#nextPoint;
    if (ends) this.#nextPoint = now() + POINT_INTERVAL_MS;
    onRound(ends ? board.mark(now()) : undefined);
  }

  /** Which revocations there may be news of. */
  #question(): Record<string, string> {
    const { board, now } = this.#options;
    const thorough = this.#rounds++ % THOROUGH === 0;
    return {
      since: new Date(thorough ? now() - HISTORY_MS : board.since(now())).toISOString(),
      canaries: `${!thorough}`,
      limit: thorough ? '200' : '1000',
    };
  }

  /** Beside the rounds, as the answer is megabytes where there are hundreds of sidecars; again in the next one where it fails. */
  async #recallHour(): Promise<void> {
    const { board, sessionService, now, onRecall } = this.#options;
    this.#recall = 'asked';
    const since = new Date(now() - HISTORY_MS).toISOString();
    const query = { since, canaries: 'true', limit: '1000' };
    // What is wrong, the rounds say.
    const hour = await sessionService.revocations(query, RECALL_TIMEOUT_MS).catch(() => undefined);
    this.#recall = hour === undefined ? 'due' : 'done';
    if (hour === undefined) return;
    board.recall(hour, now());
    onRecall();
  }

  async #loop(): Promise<void> {
    const { now } = this.#options;
    const began = now();
    await this.round();
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#loop(), Math.max(0, began + ROUND_MS - now())).unref();
  }
}
