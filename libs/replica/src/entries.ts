import type { ScopeKey, VersionRecord } from '@curfew/contracts';
import { LRUCache } from 'lru-cache';

/** What the replica knows of one scope. */
export interface Entry {
  current: number;
  floor: number;
  /** When the newest record merged here was announced, ms since the epoch. */
  announcedAt: number;
}

/** Passed to every `peek`, whose default argument would be an object per call. */
const PEEK = {};

/**
 * The newest versions by scope, bounded by count. `lru-cache` orders by writes alone (`peek`, never `get`), so the entry
 * that falls out is the one announced longest ago.
 */
export class Entries {
  readonly #byScope: LRUCache<string, Entry>;

  /** @param onEvict hears the announcement time of an entry that fell out. */
  constructor(max: number, onEvict: (announcedAt: number) => void) {
    this.#byScope = new LRUCache({
      max,
      dispose: (entry, _scope, reason) => {
        if (reason === 'evict') onEvict(entry.announcedAt);
      },
    });
  }

  get size(): number {
    return this.#byScope.size;
  }

  peek(scope: ScopeKey): Entry | undefined {
    return this.#byScope.peek(scope, PEEK);
  }

  /** Merges by max: order and repetition make no difference, and nothing falls. */
  merge({ scope, current, floor }: VersionRecord, announcedAt: number): void {
    const known = this.peek(scope);
    if (!known) {
      this.#byScope.set(scope, { current, floor, announcedAt });
      return;
    }
    known.current = Math.max(known.current, current);
    known.floor = Math.max(known.floor, floor);
    if (announcedAt <= known.announcedAt) return;
    known.announcedAt = announcedAt;
    this.#byScope.set(scope, known);
  }
}
