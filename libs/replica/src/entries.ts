import { partitionOf, type ScopeKey, type VersionRecord } from '@curfew/contracts';
import { LRUCache } from 'lru-cache';

/** What the replica knows of one scope. */
export interface Entry {
  current: number;
  floor: number;
  /** When the newest record merged here was announced, ms since the epoch. */
  announcedAt: number;
}

/** A scope to look up, with what was found last: an answer stays right until a new scope comes into its shard. */
export interface Lookup {
  readonly scope: ScopeKey;
  readonly shard: number;
  /** The shard's count of insertions at the last look; -1 before the first. */
  seen: number;
  entry: Entry | undefined;
}

/** Scopes are counted in by shard. Many, so that a bump has few other sessions look again. */
const SHARDS = 16_384;

export const lookupOf = (scope: ScopeKey): Lookup => ({
  scope,
  shard: partitionOf(scope, SHARDS),
  seen: -1,
  entry: undefined,
});

/** Passed to every `peek`, whose default argument would be an object per call. */
const PEEK = {};

/**
 * The newest versions by scope, bounded by count. `lru-cache` orders by writes alone (`peek`, never `get`), so the entry
 * that falls out is the one announced longest ago.
 */
export class Entries {
  readonly #byScope: LRUCache<string, Entry>;
  readonly #insertions = new Int32Array(SHARDS);

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

  /**
   * The entry of a scope, from the lookup's memory where that is still right: a map of a million entries costs several
   * cache misses, a count one. An entry changes in place, so only an insertion can make an answer wrong.
   */
  find(lookup: Lookup): Entry | undefined {
    const insertions = this.#insertions[lookup.shard] ?? 0;
    if (lookup.seen !== insertions) {
      lookup.seen = insertions;
      lookup.entry = this.peek(lookup.scope);
    }
    return lookup.entry;
  }

  /** Lets go of what was announced before a time, ms since the epoch. */
  dropBefore(time: number): void {
    for (;;) {
      const oldest = this.#byScope.rvalues().next().value;
      if (oldest === undefined || oldest.announcedAt >= time) return;
      this.#byScope.pop();
    }
  }

  /** Merges by max: order and repetition make no difference, and nothing falls. Says whether it raised anything. */
  merge({ scope, current, floor }: VersionRecord, announcedAt: number): boolean {
    const known = this.peek(scope);
    if (!known) {
      this.#byScope.set(scope, { current, floor, announcedAt });
      const shard = partitionOf(scope, SHARDS);
      this.#insertions[shard] = (this.#insertions[shard] ?? 0) + 1;
      return true;
    }
    const raises = current > known.current || floor > known.floor;
    known.current = Math.max(known.current, current);
    known.floor = Math.max(known.floor, floor);
    if (announcedAt > known.announcedAt) {
      known.announcedAt = announcedAt;
      this.#byScope.set(scope, known);
    }
    return raises;
  }
}
