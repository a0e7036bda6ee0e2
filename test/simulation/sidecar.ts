import type { AccessTokenClaims } from '@curfew/contracts';
import { Replica, type SessionVersions, sessionVersions, type Verdict } from '@curfew/replica';
import { Authenticator } from '../../libs/sidecar/src/authenticator.ts';
import { Circuit } from '../../libs/sidecar/src/circuit.ts';
import { clockOf } from '../../libs/sidecar/src/clock.ts';
import { ReadThrough, type StoredVersions } from '../../libs/sidecar/src/read-through.ts';
import type { Authentication, Policy } from '../../libs/sidecar/src/session.ts';
import { type Brokers, noBroker } from './brokers.ts';
import type { Checker } from './checker.ts';
import type { Entry } from './log.ts';
import type { Sabotage } from './sabotage.ts';
import type { Actor, Scheduler } from './scheduler.ts';
import type { Settings } from './settings.ts';
import type { Store } from './store.ts';
import { VersionsClient } from './store-client.ts';

export interface SidecarOptions {
  readonly name: string;
  /** Its clock minus the true time, ms. */
  readonly skewMs: number;
  readonly scheduler: Scheduler;
  readonly brokers: Brokers;
  readonly store: Store;
  readonly settings: Settings;
  readonly sabotage: Sabotage | undefined;
  readonly checker: Checker;
  readonly claimsOf: (token: string) => AccessTokenClaims | undefined;
}

const VERDICTS: Readonly<Record<string, Verdict>> = {
  session_revoked: 'revoked',
  session_stale: 'stale',
  view_stale: 'unprovable',
};

/** A service's sidecar: the replica and the ladder are the product's own; the reader is told here. */
export class SimulatedSidecar implements Actor {
  readonly name: string;
  alive = true;
  paused = false;
  /** Partitions whose fetches get no answer. */
  readonly stalled = new Set<number>();
  readonly #options: SidecarOptions;
  readonly #replica: Replica;
  readonly #authenticator: Authenticator;
  readonly #versions = new Map<string, SessionVersions>();
  readonly #maxViewAgeMs: number;

  constructor(options: SidecarOptions) {
    const { name, scheduler, store, settings, sabotage, claimsOf } = options;
    const { partitions, windowMs, maxEntries, maxClockSkewMs, boundMs } = settings;
    this.name = name;
    this.#options = options;
    this.#maxViewAgeMs = sabotage === 'ticks' ? Number.POSITIVE_INFINITY : boundMs;
    const horizon = this.now() - windowMs;
    this.#replica = new Replica({ partitions, horizon, maxEntries, maxClockSkewMs, now: this.now });
    const connection = new VersionsClient(scheduler, store, this, { onApplied: () => {}, ignoresRollback: false });
    this.#authenticator = new Authenticator({
      checkToken: async (token) => {
        const claims = claimsOf(token);
        return claims
          ? { ok: true, claims: { ...claims, ver: { ...claims.ver } } }
          : { ok: false, code: 'session_invalid' };
      },
      checkAt: this.#check,
      readThrough: new ReadThrough({
        read: (session) => this.#readStore(connection, session),
        canRead: () => true,
        circuit: new Circuit(this.now, () => 0),
        skewMs: () => this.#replica.skewMs,
        noteTick: (tick) => this.#replica.noteTick(tick),
        onRead: () => {},
        now: this.now,
      }),
      acceptances: { add: () => {}, takeBack: () => {} },
      tokenCacheSize: 100,
      clock: clockOf(this.now),
    });
    for (let partition = 0; partition < partitions; partition++) this.#read(partition, horizon);
  }

  readonly now = (): number => this.#options.scheduler.now + this.#options.skewMs;

  authenticate(token: string, policy: Policy): Authentication | Promise<Authentication> {
    return this.#authenticator.authenticate(token, policy, this.#maxViewAgeMs);
  }

  static verdictOf(authentication: Authentication): Verdict | undefined {
    if (!authentication.ok) return VERDICTS[authentication.code];
    return authentication.session.provable ? 'active' : 'unprovable';
  }

  /** What memory says of a token, whether it was shown here before or not. */
  verdict(token: string): Verdict | undefined {
    let versions = this.#versions.get(token);
    if (versions === undefined) {
      const claims = this.#options.claimsOf(token);
      if (claims === undefined) return undefined;
      versions = sessionVersions(claims);
      this.#versions.set(token, versions);
    }
    return this.#check(versions, this.#maxViewAgeMs, this.now());
  }

  /** The age of the oldest view, ms. */
  get viewAgeMs(): number {
    let oldest = 0;
    for (let partition = 0; partition < this.#options.settings.partitions; partition++)
      oldest = Math.max(oldest, this.#replica.viewAgeMs(partition));
    return oldest;
  }

  versionOf(scope: string): { current: number; floor: number } | undefined {
    return this.#replica.entry(scope as 'r');
  }

  readonly #check = (versions: SessionVersions, maxViewAgeMs: number, now: number): Verdict => {
    const { at } = versions;
    if (this.#options.sabotage === 'horizon') versions.at = Number.MAX_SAFE_INTEGER;
    const verdict = this.#replica.checkAt(versions, maxViewAgeMs, now);
    versions.at = at;
    return verdict;
  };

  #readStore(connection: VersionsClient, { subject, tenant, session }: SessionVersions): Promise<StoredVersions> {
    return connection.read(subject.scope.slice(2), tenant?.scope.slice(2), session.scope.slice(2));
  }

  async #read(partition: number, since: number): Promise<void> {
    const { scheduler, brokers } = this.#options;
    const { versions } = brokers;
    let next: number | undefined;
    while (next === undefined)
      next = await scheduler
        .io(this, {
          what: `finds its place in ${partition}`,
          effect: () => versions.offsetAt(partition, since),
          failure: noBroker,
        })
        .catch(() => undefined);
    for (;;) {
      const from: number = next;
      const entries: readonly Entry[] = await scheduler
        .io(this, {
          what: `fetches versions of ${partition}`,
          ready: () => versions.end(partition) > from && !this.stalled.has(partition),
          effect: () => versions.entries(partition).slice(from, from + 1 + scheduler.random.below(MAX_BATCH)),
          failure: noBroker,
          detail: () => `from ${from} of ${versions.end(partition)}`,
        })
        .catch(() => []);
      for (const entry of entries) this.#apply(partition, entry);
      next = (entries.at(-1)?.offset ?? from - 1) + 1;
    }
  }

  #apply(partition: number, entry: Entry): void {
    const { brokers, checker, scheduler } = this.#options;
    const record = brokers.versionOf(entry);
    const { size } = this.#replica;
    const known = record.kind === 'version' && this.#replica.entry(record.scope) !== undefined;
    this.#replica.apply(partition, record, entry.timestamp);
    if (record.kind === 'tick') return;
    // Whatever fell out for it may come back as it was announced earlier.
    if (!known && this.#replica.size === size) checker.forgot(this.name);
    const { current, floor } = this.#replica.entry(record.scope) ?? { current: 0, floor: 0 };
    checker.version(this.name, record.scope, { current, floor }, scheduler.now);
  }

  /** Remembers what the ladder knows of a token, for `verdict`. */
  remember(token: string, authentication: Authentication): void {
    if (authentication.ok) this.#versions.set(token, authentication.session.versions);
  }
}

/** Most records that one fetch brings. */
const MAX_BATCH = 6;
