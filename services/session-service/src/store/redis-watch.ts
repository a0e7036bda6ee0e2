import type { RedisConnection } from '@curfew/store';

/** What the servers of the store say of themselves, all taken together. */
export interface StoreFigures {
  readonly usedMemoryBytes: number;
  readonly evictedKeys: number;
  /** Replicas that follow their server; one that copies everything anew does not yet. */
  readonly replicas: number;
  /** How far the slowest replica is behind, s; 0 without any, as when the only one is gone. */
  readonly replicationLagS: number;
  /** `maxmemory-policy` of each server that may drop keys. */
  readonly evicting: readonly string[];
}

interface StoreWatchOptions {
  readonly redis: Pick<RedisConnection, 'masters'>;
  readonly warn: (message: string) => void;
  /** Between two looks, ms. Default 10000. */
  readonly intervalMs?: number;
}

const INTERVAL_MS = 10_000;
/** Between two warnings of the same, in looks. */
const LOOKS_PER_WARNING = 6;

/** Looks at the servers' memory, and warns for as long as one may drop keys: a session that has ended would come back. */
export class StoreWatch {
  readonly #options: StoreWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #figures: StoreFigures | undefined;
  #looksUntilWarning = 0;

  constructor(options: StoreWatchOptions) {
    this.#options = options;
  }

  /** As of the last look; undefined before the first. */
  get figures(): StoreFigures | undefined {
    return this.#figures;
  }

  start(): void {
    const look = () => void this.look().catch(() => {}); // Away: the connection tells.
    this.#timer ??= setInterval(look, this.#options.intervalMs ?? INTERVAL_MS).unref();
    look();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async look(): Promise<void> {
    const servers = this.#options.redis.masters();
    const figures = figuresOf(
      await Promise.all(servers.map((server) => server.info('memory', 'stats', 'replication'))),
    );
    this.#figures = figures;
    const { evicting } = figures;
    if (evicting.length === 0) this.#looksUntilWarning = 0;
    else if (this.#looksUntilWarning-- === 0) {
      this.#looksUntilWarning = LOOKS_PER_WARNING - 1;
      this.#options.warn(
        `REDIS MAY DROP KEYS: maxmemory-policy is ${evicting.join(', ')} at ${evicting.length} of ${servers.length} servers. ` +
          'Sessions that have ended would be accepted again, and accounts that are disabled. Set it to noeviction.',
      );
    }
  }
}

/** @param infos what `INFO memory stats replication` says, by server. */
function figuresOf(infos: readonly string[]): StoreFigures {
  const texts = (pattern: RegExp): string[] =>
    infos.flatMap((info) => [...info.matchAll(pattern)].map(([, text = '']) => text));
  const sum = (pattern: RegExp): number => texts(pattern).reduce((total, text) => total + Number(text), 0);
  return {
    usedMemoryBytes: sum(/^used_memory:(\d+)/gm),
    evictedKeys: sum(/^evicted_keys:(\d+)/gm),
    replicas: texts(/^slave\d+:.*\bstate=online\b/gm).length,
    replicationLagS: Math.max(0, ...texts(/^slave\d+:.*\blag=(\d+)/gm).map(Number)),
    evicting: texts(/^maxmemory_policy:(\S+)/gm).filter((policy) => policy !== 'noeviction'),
  };
}
