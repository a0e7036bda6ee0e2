import {
  type AccessTokenClaims,
  encodeLogTick,
  encodeVersionRecord,
  partitionOf,
  type ScopeKey,
} from '@curfew/contracts';
import type { Grant } from '../../services/session-service/src/sessions/grants.ts';
import { Brokers } from './brokers.ts';
import { Checker } from './checker.ts';
import { FAULTS, HEALERS } from './faults.ts';
import type { HistoryEffect } from './history.ts';
import { DEVICES, drawEvent, TENANT, USERS } from './identity.ts';
import { Instance, type InstanceOptions } from './instance.ts';
import { Random, stepSeed } from './random.ts';
import type { Sabotage } from './sabotage.ts';
import { Scheduler } from './scheduler.ts';
import { drawSettings, type Settings } from './settings.ts';
import { SimulatedSidecar } from './sidecar.ts';
import { Store } from './store.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly sabotage?: Sabotage | undefined;
  /** Hears of each thing that happens. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** Most tokens that users hold at a time. */
const MAX_TOKENS = 10;

interface Held {
  readonly token: string;
  readonly sid: string;
  readonly subject: string;
  readonly refreshToken: string;
}

/** Everything that takes part in one run, and each thing that can happen in it. */
export class World {
  readonly settings: Settings;
  readonly checker: Checker;
  readonly #seed: number;
  readonly #random = new Random(0);
  readonly #scheduler: Scheduler;
  readonly #brokers: Brokers;
  readonly #store: Store;
  readonly #options: WorldOptions;
  readonly #skews: readonly number[];
  readonly #instances: Instance[] = [];
  readonly #sidecars: SimulatedSidecar[] = [];
  readonly #claims = new Map<string, AccessTokenClaims>();
  readonly #signedAt = new Map<string, number>();
  readonly #held: Held[] = [];
  /** Events in the wrong partition, until they are forwarded into their own. */
  readonly #astray = new Map<string, readonly HistoryEffect[]>();
  #sidecarStarts = 0;
  #events = 0;
  #tokens = 0;

  constructor(options: WorldOptions) {
    const { seed, trace } = options;
    this.#options = options;
    this.#seed = seed;
    const random = new Random(stepSeed(seed, -1));
    this.settings = drawSettings(random, Object.keys(FAULTS));
    const { partitions, instances, sidecars, boundMs, maxClockSkewMs } = this.settings;
    this.#skews = Array.from({ length: 5 }, () => (random.chance(0.5) ? maxClockSkewMs : 0));
    this.checker = new Checker(boundMs);
    this.#scheduler = new Scheduler(this.#random, trace);
    this.#brokers = new Brokers(partitions, () => this.#scheduler.now + (this.#skews[4] ?? 0));
    this.#store = new Store(partitions, () => this.now);
    this.#tickOnce();
    this.#store.replicate();
    for (let i = 0; i < instances; i++) this.#instances.push(this.#newInstance(i));
    for (let i = 0; i < sidecars; i++) this.#sidecars.push(this.#newSidecar(i));
    this.rebalance();
  }

  /** The world has been running for a while: a tick has gone all the way. */
  #tickOnce(): void {
    const { events, versions, group } = this.#brokers;
    const tick = this.now;
    for (let partition = 0; partition < this.settings.partitions; partition++) {
      const log = encodeLogTick(tick);
      const { offset } = events.append(partition, log.key, log.value);
      this.#store.versions.positions.set(partition, offset);
      this.#store.versions.ticks.set(partition, tick);
      const announced = encodeVersionRecord({ kind: 'tick', tick, offset });
      versions.append(partition, announced.key, announced.value);
      group.committed[partition] = offset + 1;
    }
  }

  get now(): number {
    return this.#scheduler.now;
  }

  /** One thing happens. */
  act(step: number): void {
    const random = this.#random;
    random.reseed(stepSeed(this.#seed, step));
    this.#scheduler.trouble = this.settings.trouble;
    const draw = random.next();
    if (draw < 0.76 - this.settings.haste) this.#goOn();
    else if (draw < 0.76) this.#pass(random);
    else if (draw < 0.84) this.#request(random);
    else if (draw < 0.9) this.#signIn(random);
    else if (draw < 0.94) this.#publish(random);
    else if (draw < 0.97) random.pick(HEALERS)(this);
    else if (this.settings.faults.length > 0) {
      do FAULTS[random.pick(this.settings.faults)]?.(this);
      while (random.chance(0.3));
    }
    this.#sweep();
  }

  /** Without faults, until everything has come through. */
  settle(step: number): void {
    this.#random.reseed(stepSeed(this.#seed, step));
    this.#scheduler.trouble = 0;
    if (!this.#scheduler.step()) this.#advance(10);
  }

  heal(): void {
    this.restoreRedis();
    this.resumeSidecars();
    this.unstallFeeds();
    for (const instance of this.#instances) instance.paused = false;
    this.#revive(true);
    this.rebalance();
  }

  /** The fold, the announcements, the views: everything as it should be in the end. */
  judge(): void {
    const { announced, rejected } = this.#brokers;
    this.checker.end({ at: this.now, versions: this.#store.versions.held, announced, rejected });
    for (const sidecar of this.#sidecars)
      if (sidecar.viewAgeMs > this.settings.boundMs)
        this.checker.notConverged(this.now, `${sidecar.name}'s view is ${sidecar.viewAgeMs} ms old`);
    for (const id of this.#astray.keys()) this.checker.notConverged(this.now, `${id} was not forwarded`);
  }

  #goOn(): void {
    if (!this.#scheduler.step()) this.#advance(5);
  }

  #pass(random: Random): void {
    this.#advance(random.chance(0.04) ? 100 + random.below(200) : 1 + random.below(20));
  }

  #advance(ms: number): void {
    this.#scheduler.now += ms;
    this.#options.trace?.(`${ms} ms pass: ${this.now % 1_000_000}`);
  }

  /** No sidecar's memory may accept what must have ended. */
  #sweep(): void {
    for (const token of this.checker.overdue(this.now))
      for (const sidecar of this.#sidecars)
        if (!sidecar.paused && sidecar.verdict(token) === 'active') this.#decided(sidecar, token, 'strict', 'active');
  }

  #request(random: Random): void {
    const sidecar = random.pick(this.#sidecars);
    if (this.#held.length === 0 || sidecar.paused) return;
    const { token } = random.pick(this.#held);
    const policy = random.chance(0.9) ? 'strict' : 'lenient';
    const decide = (answer: Awaited<ReturnType<SimulatedSidecar['authenticate']>>) => {
      sidecar.remember(token, answer);
      const verdict = SimulatedSidecar.verdictOf(answer);
      if (verdict && sidecar.alive) this.#decided(sidecar, token, policy, verdict);
    };
    const answer = sidecar.authenticate(token, policy);
    if (answer instanceof Promise) answer.then(decide);
    else decide(answer);
  }

  #decided(
    { name }: SimulatedSidecar,
    token: string,
    policy: 'strict' | 'lenient',
    verdict: 'active' | 'stale' | 'revoked' | 'unprovable',
  ): void {
    this.#options.trace?.(`${name} decides about ${token}: ${verdict} (${policy})`);
    this.checker.decision({ at: this.now, by: name, token, policy, verdict });
  }

  #signIn(random: Random): void {
    const instance = random.pick(this.#instances);
    if (!instance.alive || instance.paused) return;
    if (random.chance(0.4) && this.#held.length > 0) {
      this.#refresh(instance, random.pick(this.#held));
      return;
    }
    const began = this.now;
    const signIn = {
      subject: random.pick(USERS),
      roles: [],
      tier: 'account',
      mode: 'bearer',
      ...(random.chance(0.4) ? { tenant: TENANT } : {}),
      ...(random.chance(0.4) ? { device: random.pick(DEVICES) } : {}),
    } as const;
    instance.signIn(signIn, {}).then(
      (grant) => this.#granted(grant, began),
      () => {},
    );
  }

  #refresh(instance: Instance, { refreshToken }: Held): void {
    const began = this.now;
    instance.refresh(refreshToken).then(
      (grant) => this.#granted(grant, began),
      () => {},
    );
  }

  /** After Redis was away, clients whose refresh failed try again. */
  #refreshAll(): void {
    for (const held of this.#held) {
      const instance = this.#random.pick(this.#instances);
      if (instance.alive && !instance.paused && this.#random.chance(0.5)) this.#refresh(instance, held);
    }
  }

  #granted(grant: Grant, began: number): void {
    if (grant.mode !== 'bearer') return;
    const { session, accessToken, refreshToken } = grant;
    const { sid, subject, tenant, device, s, t, r } = session;
    const optional = { ...(tenant === undefined ? {} : { tenant }), ...(device === undefined ? {} : { device }) };
    this.#options.trace?.(`${subject} holds ${accessToken} of ${sid}: ${s}/${t}/${r} at ${session.at}`);
    this.checker.token({ token: accessToken, sid, subject, ...optional, s, t, r, began, at: this.now });
    if (this.#held.length >= MAX_TOKENS) this.#held.shift();
    this.#held.push({ token: accessToken, sid, subject, refreshToken });
  }

  #publish(random: Random): void {
    const sidOf = (user: string) => this.#held.findLast(({ subject }) => subject === user)?.sid;
    const { id, key, value, effects } = drawEvent(`e${this.#events++}`, random, sidOf);
    const own = partitionOf(key, this.settings.partitions);
    const astray = random.chance(0.05) && this.settings.partitions > 1;
    const partition = astray ? (own + 1) % this.settings.partitions : own;
    const { offset, timestamp } = this.#brokers.events.append(partition, key, value);
    this.#options.trace?.(`identity publishes ${id} into ${partition} at ${offset}: ${JSON.stringify(effects)}`);
    if (astray) this.#astray.set(value.toString(), effects);
    else this.checker.event({ id, partition, offset, at: this.now, time: timestamp, effects });
  }

  #onForwarded(value: Buffer, offset: number, partition: number, time: number): void {
    const text = value.toString();
    const { jti: id } = JSON.parse(text) as { jti: string };
    const effects = this.#astray.get(text) ?? this.#forwarded.get(text);
    if (effects === undefined) return;
    this.#astray.delete(text);
    this.#forwarded.set(text, effects);
    this.checker.event({ id, partition, offset, at: this.now, time, effects });
  }
  readonly #forwarded = new Map<string, readonly HistoryEffect[]>();

  #newInstance(i: number): Instance {
    const name = `S${i}`;
    const sign: InstanceOptions['sign'] = async (_options, session, now) => {
      const token = `k${this.#tokens++}`;
      const { sid, subject, tenant, device, s, t, r, at } = session;
      this.#signedAt.set(token, now);
      this.#claims.set(token, {
        iss: 'x',
        sub: subject,
        aud: 'x',
        exp: Math.floor((now + 3_600_000) / 1000),
        iat: Math.floor(now / 1000),
        jti: token,
        sid,
        ver: { s, t, r, at: this.#options.sabotage === 'issued-at' ? now : at },
        ...(tenant === undefined ? {} : { ten: tenant }),
        ...(device === undefined ? {} : { dev: device }),
      });
      return { accessToken: token, expiresAt: now + 3_600_000 };
    };
    return new Instance({
      name,
      skewMs: this.#skews[i] ?? 0,
      scheduler: this.#scheduler,
      brokers: this.#brokers,
      store: this.#store,
      settings: this.settings,
      sabotage: this.#options.sabotage,
      storeHooks: {
        onApplied: (partition, scopes) => this.#onApplied(partition, scopes),
        ignoresRollback: this.#options.sabotage === 'rollback-check',
      },
      busHooks: {
        onAnnounced: (record, partition) => this.checker.announcement(record, partition, this.now),
        onForwarded: ({ value, offset, timestamp }, partition) =>
          this.#onForwarded(value, offset, partition, timestamp),
        tickFirst: this.#options.sabotage === 'early-tick',
      },
      sign,
    });
  }

  #onApplied(partition: number, scopes: Iterable<ScopeKey>): void {
    const { held, positions } = this.#store.versions;
    for (const scope of scopes) {
      const version = held.get(scope);
      if (version) this.checker.version('Redis', scope, version, this.now);
    }
    this.checker.applied(partition, positions.get(partition) ?? -1, this.now);
  }

  #newSidecar(i: number): SimulatedSidecar {
    const name = `C${i}.${this.#sidecarStarts++}`;
    return new SimulatedSidecar({
      name,
      skewMs: this.#skews[2 + i] ?? 0,
      scheduler: this.#scheduler,
      brokers: this.#brokers,
      store: this.#store,
      settings: this.settings,
      sabotage: this.#options.sabotage,
      checker: this.checker,
      claimsOf: (token) => this.#claims.get(token),
    });
  }

  #say(fault: string): void {
    this.#options.trace?.(`*** ${fault}`);
  }

  // What a fault does, and what ends it.

  crash(): void {
    const instance = this.#random.pick(this.#instances);
    if (!instance.alive) return;
    this.#say(`${instance.name} crashes`);
    this.#scheduler.crash(instance);
    this.rebalance();
  }

  restart(): void {
    this.#revive(false);
  }

  #revive(all: boolean): void {
    for (const [i, instance] of this.#instances.entries()) {
      if (instance.alive || !(all || this.#random.chance(0.5))) continue;
      this.#say(`${instance.name} starts`);
      this.#instances[i] = this.#newInstance(i);
      this.rebalance();
    }
  }

  pause(): void {
    const instance = this.#random.pick(this.#instances);
    if (!instance.alive || instance.paused) return;
    this.#say(`${instance.name} stands still`);
    instance.paused = true;
    if (this.#random.chance(0.7)) this.rebalance();
  }

  resume(): void {
    for (const instance of this.#instances)
      if (instance.paused && this.#random.chance(0.5)) {
        this.#say(`${instance.name} goes on`);
        instance.paused = false;
        if (this.#random.chance(0.5)) this.rebalance();
      }
  }

  /** Members that stand still lose their partitions, and do not hear of it before they go on. */
  rebalance(): void {
    const members = this.#instances.filter(({ alive, paused }) => alive && !paused);
    if (members.length === 0) return;
    this.#say('the group is rebalanced');
    const { group } = this.#brokers;
    const first = this.#random.below(members.length);
    group.assign((partition) => members[(first + partition) % members.length]?.name ?? '');
    for (const instance of this.#instances) if (instance.alive) instance.hearAssignment();
  }

  pauseSidecar(): void {
    const sidecar = this.#random.pick(this.#sidecars);
    this.#say(`${sidecar.name} stands still`);
    sidecar.paused = true;
  }

  resumeSidecars(): void {
    for (const sidecar of this.#sidecars) sidecar.paused = false;
  }

  restartSidecar(): void {
    const i = this.#random.below(this.#sidecars.length);
    const old = this.#sidecars[i];
    if (old === undefined) return;
    this.#scheduler.crash(old);
    this.#sidecars[i] = this.#newSidecar(i);
    this.#say(`${old.name} starts anew as ${this.#sidecars[i]?.name}`);
  }

  stallFeed(): void {
    const reader = this.#random.pick([...this.#sidecars, ...this.#instances]);
    const partition = this.#random.below(this.settings.partitions);
    this.#say(`${reader.name} gets nothing of ${partition}`);
    reader.stalled.add(partition);
  }

  unstallFeeds(): void {
    for (const { stalled } of [...this.#sidecars, ...this.#instances]) stalled.clear();
  }

  failOver(): void {
    const lag = this.#random.below(this.#store.failoverDepth);
    this.#say(`Redis fails over to the state ${lag} before`);
    this.#store.failOver(lag);
    this.checker.lost('Redis');
    this.#refreshAll();
  }

  failOverUnread(): void {
    for (const { stalled } of this.#instances)
      for (let partition = 0; partition < this.settings.partitions; partition++) stalled.add(partition);
    this.failOver();
  }

  flush(): void {
    this.#say('Redis is emptied');
    this.#store.flush();
    this.checker.lost('Redis');
  }

  cutRedis(): void {
    this.#say('Redis is away');
    this.#store.reachable = false;
  }

  restoreRedis(): void {
    this.#store.reachable = true;
  }
}
