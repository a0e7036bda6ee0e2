import { EFFECT_RULES } from '@curfew/contracts';
import { resumptionOf } from '../../services/session-service/src/events/partition-positions.ts';
import { backoffMs, PartitionWork } from '../../services/session-service/src/events/partition-work.ts';
import { Pipeline } from '../../services/session-service/src/events/pipeline.ts';
import { type Grant, Grants, type GrantsOptions } from '../../services/session-service/src/sessions/grants.ts';
import type { RefreshClaims } from '../../services/session-service/src/sessions/refresh-tokens.ts';
import { Renewals, type RenewalsOptions } from '../../services/session-service/src/sessions/renewals.ts';
import { type SignIn, type SignInOrder, SignIns } from '../../services/session-service/src/sessions/sign-ins.ts';
import { UntilTold } from '../../services/session-service/src/sessions/until-told.ts';
import { RollbackError } from '../../services/session-service/src/store/version-store.ts';
import { type Brokers, BusClient, type BusHooks, noBroker } from './brokers.ts';
import type { Entry } from './log.ts';
import type { Sabotage } from './sabotage.ts';
import type { Actor, Scheduler } from './scheduler.ts';
import type { Settings } from './settings.ts';
import type { Store } from './store.ts';
import { SessionsClient, type StoreHooks, VersionsClient } from './store-client.ts';

export interface InstanceOptions {
  readonly name: string;
  /** Its clock minus the true time, ms. */
  readonly skewMs: number;
  readonly scheduler: Scheduler;
  readonly brokers: Brokers;
  readonly store: Store;
  readonly settings: Settings;
  readonly sabotage: Sabotage | undefined;
  readonly storeHooks: StoreHooks;
  readonly busHooks: BusHooks;
  readonly sign: NonNullable<GrantsOptions['sign']>;
}

/**
 * A session service. What it does with events and sessions is the product's own; how it joins the group and reads is
 * told here as `kafka-account-events.ts` does it.
 */
export class Instance implements Actor {
  readonly name: string;
  alive = true;
  paused = false;
  /** Partitions whose fetches get no answer. */
  readonly stalled = new Set<number>();
  readonly #options: InstanceOptions;
  readonly #versions: VersionsClient;
  readonly #bus: BusClient;
  readonly #pipeline: Pipeline;
  readonly #signIns: SignIns;
  readonly #renewals: Renewals;
  #generation = -1;
  #assigned: readonly number[] = [];
  readonly #uncommitted = new Map<number, number>();
  #committing = false;

  constructor(options: InstanceOptions) {
    const { name, scheduler, brokers, store, settings, storeHooks, busHooks, sign } = options;
    this.name = name;
    this.#options = options;
    this.#versions = new VersionsClient(scheduler, store, this, storeHooks);
    this.#bus = new BusClient(scheduler, brokers, this, busHooks);
    const sessions = new SessionsClient(scheduler, store, this);
    this.#pipeline = new Pipeline({
      versions: this.#versions,
      sessions,
      bus: this.#bus,
      partitions: settings.partitions,
      rules: EFFECT_RULES,
      onRecord: () => {},
      onAnnounced: () => {},
      warn: () => {},
      now: this.now,
    });
    const life = {
      versions: this.#versions,
      store: sessions,
      revocations: { end: () => Promise.reject(new Error('the simulated users leave logging out to identity')) },
      grants: new Grants({ tokens: NO_TOKENS, sign, refreshTokens: REFRESH_TOKENS, now: this.now }),
      refreshTokens: REFRESH_TOKENS,
      maxViewAgeMs: settings.boundMs,
      maxClockSkewMs: settings.maxClockSkewMs,
      now: this.now,
      untilTold: new UntilTold(() => scheduler.sleep(this, 1000)),
    };
    this.#renewals = new Renewals({ ...life, reuseGraceMs: settings.sessionTtlMs });
    const lifetime = { idleMs: settings.sessionTtlMs, absoluteMs: settings.sessionTtlMs };
    this.#signIns = new SignIns({
      ...life,
      renewals: this.#renewals,
      lifetimes: { browse: lifetime, account: lifetime, payment: lifetime },
      maxSessionsPerSubject: 0,
      limitRule: 'refuse',
      sleep: (ms) => scheduler.sleep(this, ms),
    });
    this.#tickForEver();
  }

  readonly now = (): number => this.#options.scheduler.now + this.#options.skewMs;

  signIn(signIn: SignIn, order: SignInOrder): Promise<Grant> {
    return this.#signIns.create(signIn, order);
  }

  refresh(token: string): Promise<Grant> {
    return this.#renewals.renew({ refreshToken: token });
  }

  /** Asks the group for its partitions. Until the answer is there it takes the ones that it has for its own. */
  async hearAssignment(): Promise<void> {
    const { scheduler, brokers } = this.#options;
    const ask = {
      what: 'hears its assignment',
      effect: () => ({ ...brokers.group, assigned: brokers.group.of(this.name) }),
    };
    const { generation, assigned } = await scheduler.io(this, ask);
    if (generation <= this.#generation) return;
    this.#generation = generation;
    this.#assigned = assigned;
    this.#uncommitted.clear();
    for (const partition of assigned) this.#read(partition, () => this.#generation === generation);
  }

  async #tickForEver(): Promise<void> {
    const { scheduler, settings } = this.#options;
    let sending = false;
    for (;;) {
      if (!sending && this.#assigned.length > 0) {
        sending = true;
        this.#bus
          .tick(this.#assigned, this.now())
          .catch(() => {})
          .finally(() => {
            sending = false;
          });
      }
      await scheduler.sleep(this, settings.tickIntervalMs);
    }
  }

  async #read(partition: number, isOurs: () => boolean): Promise<void> {
    let place = await this.#insistOnPosition(partition, isOurs);
    while (place && isOurs()) {
      const entries = await this.#fetch(partition, place.next, isOurs).catch(() => []);
      if (!isOurs()) return;
      const reading = place;
      const records = entries.map((entry) => ({ ...entry, partition, headers: {} }));
      try {
        await place.work.take(records, {
          heartbeat: async () => {},
          isOurs,
          done: (offset) => {
            reading.next = offset + 1;
            this.#commitSoon(partition, offset);
          },
        });
      } catch (error) {
        if (error instanceof RollbackError) place = await this.#insistOnPosition(partition, isOurs);
        else await this.#pause(place.work.failures);
      }
    }
  }

  #pause(failures: number): Promise<void> {
    const { scheduler } = this.#options;
    return scheduler.sleep(
      this,
      backoffMs(failures, () => scheduler.random.next()),
    );
  }

  #fetch(partition: number, from: number, isOurs: () => boolean): Promise<readonly Entry[]> {
    const { scheduler, brokers } = this.#options;
    const { events } = brokers;
    return scheduler.io(this, {
      what: `fetches events of ${partition}`,
      ready: () => (events.end(partition) > from && !this.stalled.has(partition)) || !isOurs(),
      effect: () => events.entries(partition).slice(from, from + 1 + scheduler.random.below(MAX_BATCH)),
      failure: noBroker,
      detail: () => `from ${from} of ${events.end(partition)}`,
    });
  }

  async #insistOnPosition(partition: number, isOurs: () => boolean): Promise<Place | undefined> {
    const { scheduler } = this.#options;
    for (let attempt = 0; isOurs(); attempt++) {
      try {
        return await this.#position(partition);
      } catch {
        await scheduler.sleep(
          this,
          backoffMs(attempt, () => scheduler.random.next()),
        );
      }
    }
    return undefined;
  }

  async #position(partition: number): Promise<Place> {
    const { scheduler, brokers, sabotage } = this.#options;
    const position = await this.#versions.position(partition);
    const offsets = await scheduler.io(this, {
      what: `asks for the offsets of ${partition}`,
      effect: () => ({ committed: brokers.group.committed[partition] ?? -1, end: brokers.events.end(partition) }),
      failure: noBroker,
    });
    if (position < 0 && offsets.committed > 0 && (await this.#restore(partition))) return this.#position(partition);
    const { next, applied } = await resumptionOf(partition, position, offsets, this.#versions);
    const work = new PartitionWork({
      partition,
      applied,
      next,
      pipeline: this.#pipeline,
    });
    return { next: sabotage === 'announced-position' ? applied + 1 : next, work };
  }

  async #restore(partition: number): Promise<boolean> {
    const { scheduler, brokers } = this.#options;
    const announced = await scheduler.io(this, {
      what: `reads what was announced in ${partition}`,
      effect: () => brokers.announcedOf(partition),
      failure: noBroker,
    });
    if (announced.position < 0) return false;
    if (!(await this.#versions.restore(partition, announced))) throw new Error('it changed while it was restored');
    return true;
  }

  /** Only under the newest assignment does the group take it. */
  #commitSoon(partition: number, offset: number): void {
    const { scheduler, brokers } = this.#options;
    this.#uncommitted.set(partition, offset);
    if (this.#committing) return;
    this.#committing = true;
    const generation = this.#generation;
    const commit = () => {
      const { group } = brokers;
      if (group.generation === generation) for (const [of, last] of this.#uncommitted) group.committed[of] = last + 1;
      this.#uncommitted.clear();
    };
    scheduler
      .io(this, { what: 'commits', effect: commit, failure: noBroker })
      .catch(() => {})
      .finally(() => {
        this.#committing = false;
      });
  }
}

/** Where reading goes on, and what takes in what is read. */
interface Place {
  next: number;
  readonly work: PartitionWork;
}

/** Most records that one fetch brings. */
const MAX_BATCH = 4;

const NO_TOKENS = { keys: {} as never, issuer: '', audience: '', accessTtlMs: 0 };

/** As text: a real one would have the simulation wait for what no schedule decides. */
const REFRESH_TOKENS: GrantsOptions['refreshTokens'] & RenewalsOptions['refreshTokens'] = {
  issue: async (claims) => JSON.stringify(claims),
  read: async (token) => JSON.parse(token) as RefreshClaims,
  successorsOf: (id) => [id],
};
