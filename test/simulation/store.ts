import { MemorySessions } from '../support/memory-sessions.ts';
import { MemoryVersions } from '../support/memory-stores.ts';

interface Snapshot {
  readonly positions: MemoryVersions['positions'];
  readonly ticks: MemoryVersions['ticks'];
  readonly restored: MemoryVersions['restored'];
  readonly held: MemoryVersions['held'];
  readonly records: MemorySessions['records'];
}

/** How many older states a failover may fall back to. */
const SNAPSHOTS = 8;

/** Redis: the models of its scripts, which an integration test compares with the Lua, and what it may lose. */
export class Store {
  readonly versions: MemoryVersions;
  readonly sessions: MemorySessions;
  /** Connections of an earlier epoch are broken. */
  epoch = 0;
  reachable = true;
  readonly #snapshots: Snapshot[] = [];

  /** @param now its clock, ms since the epoch. */
  constructor(partitions: number, now: () => number) {
    this.versions = new MemoryVersions(partitions);
    this.sessions = new MemorySessions(now);
  }

  /** A replica has this state, and may be promoted with it. */
  replicate(): void {
    const { positions, ticks, restored, held } = this.versions;
    this.#snapshots.push({
      positions: new Map(positions),
      ticks: new Map(ticks),
      restored: new Map(restored),
      held: new Map(Array.from(held, ([scope, version]) => [scope, { ...version }])),
      records: new Map(this.sessions.records),
    });
    if (this.#snapshots.length > SNAPSHOTS) this.#snapshots.shift();
  }

  get failoverDepth(): number {
    return this.#snapshots.length;
  }

  /** A replica that lags takes over. `lag` 0 is the newest state that any has. Its connections are new ones. */
  failOver(lag: number): void {
    const state = this.#snapshots.at(-1 - lag);
    if (state === undefined) return;
    this.epoch++;
    this.#become(state);
    this.#snapshots.length = 0;
    this.replicate();
  }

  /** FLUSHALL: all is gone, and no connection breaks. */
  flush(): void {
    this.#become({ positions: new Map(), ticks: new Map(), restored: new Map(), held: new Map(), records: new Map() });
    this.#snapshots.length = 0;
  }

  #become({ positions, ticks, restored, held, records }: Snapshot): void {
    const { versions, sessions } = this;
    refill(versions.positions, positions);
    refill(versions.ticks, ticks);
    refill(versions.restored, restored);
    refill(
      versions.held,
      Array.from(held, ([scope, version]) => [scope, { ...version }] as const),
    );
    refill(sessions.records, records);
  }
}

function refill<K, V>(map: Map<K, V>, entries: Iterable<readonly [K, V]>): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}
