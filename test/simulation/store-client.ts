import { CurfewError, partitionOf, REALM_ID, REALM_SCOPE, type ScopeKey, type SessionRecord } from '@curfew/contracts';
import type {
  Exchange,
  NextId,
  Renewal,
  RolesGiven,
  SessionStore,
} from '../../services/session-service/src/store/session-store.ts';
import type {
  AnnouncedVersions,
  AppliedVersion,
  Change,
  SubjectVersions,
  VersionStore,
} from '../../services/session-service/src/store/version-store.ts';
import type { Actor, Scheduler } from './scheduler.ts';
import type { Store } from './store.ts';

const unavailable = (): Error => new CurfewError('store_unavailable', 'Redis: no answer');

export interface StoreHooks {
  /** Hears of each change of versions, after it. */
  readonly onApplied: (partition: number, scopes: Iterable<ScopeKey>) => void;
  /** A position behind what the caller knows is taken for what it knows. */
  readonly ignoresRollback: boolean;
}

/** One process' connection to Redis. */
class Connection {
  readonly scheduler: Scheduler;
  readonly store: Store;
  readonly actor: Actor;

  constructor(scheduler: Scheduler, store: Store, actor: Actor) {
    this.scheduler = scheduler;
    this.store = store;
    this.actor = actor;
  }

  run<T>(what: string, command: () => T | Promise<T>, detail?: () => string): Promise<T> {
    const effect = () => {
      if (!this.store.reachable) throw unavailable();
      return command();
    };
    const call = { what, effect, failure: unavailable };
    return this.scheduler.io(this.actor, detail === undefined ? call : { ...call, detail });
  }
}

export class VersionsClient extends Connection implements VersionStore {
  readonly #hooks: StoreHooks;
  #restorations = 0;

  constructor(scheduler: Scheduler, store: Store, actor: Actor, hooks: StoreHooks) {
    super(scheduler, store, actor);
    this.#hooks = hooks;
  }

  position(partition: number): Promise<number> {
    return this.run(`reads the position of ${partition}`, () => this.store.versions.position(partition));
  }

  forgetPosition(partition: number): Promise<void> {
    return this.run(`forgets the position of ${partition}`, () => this.store.versions.forgetPosition(partition));
  }

  apply(
    partition: number,
    known: number,
    last: number,
    changes: readonly Change[],
    tick?: number,
  ): Promise<AppliedVersion[]> {
    const { versions } = this.store;
    const apply = async () => {
      const found = versions.positions.get(partition) ?? -1;
      const applied = await versions.apply(
        partition,
        this.#hooks.ignoresRollback ? Math.min(known, found) : known,
        last,
        changes,
        tick,
      );
      this.#hooks.onApplied(
        partition,
        changes.map(({ scope }) => scope),
      );
      if (this.scheduler.random.chance(0.3)) this.store.replicate();
      return applied;
    };
    const detail = () => `up to ${last}: ${changes.map(({ scope, offset }) => `${scope}@${offset}`).join(' ')}`;
    return this.run(`applies in ${partition}`, apply, detail);
  }

  /** The product's own steps, one command per chunk; a chunk is one version. */
  async restore(partition: number, { versions, position }: AnnouncedVersions): Promise<boolean> {
    const all = [...versions];
    const id = this.#restorations++;
    let after = '';
    for (let first = 0; first === 0 || first < all.length; first++) {
      const chunk = new Map(all.slice(first, first + 1));
      const mark = `${this.actor.name} ${id} ${first}`;
      const step = { after, mark, position: first + chunk.size === all.length ? position : undefined };
      const restored = await this.run(`restores ${[...chunk.keys()].join('')} of ${partition}`, () => {
        const done = this.store.versions.restoreChunk(partition, chunk, step);
        if (done) this.#hooks.onApplied(partition, chunk.keys());
        return done;
      });
      if (!restored) return false;
      after = mark;
    }
    return true;
  }

  async read(subject: string, tenant?: string, sid?: string): Promise<SubjectVersions> {
    const { versions } = this.store;
    const { partitions, held } = versions;
    const tickOf = (id: string) => versions.ticks.get(partitionOf(id, partitions)) ?? 0;
    const versionOf = (scope: string) => ({
      current: held.get(scope)?.current ?? 0,
      floor: held.get(scope)?.floor ?? 0,
    });
    const never = { current: 0, floor: 0 };
    const answer = { subject: never, tenant: never, realm: never, blocked: false, sessionEnded: false };
    const ticks: number[] = [];
    const found: { -readonly [M in keyof SubjectVersions]?: SubjectVersions[M] } = {};
    // Per scope the tick comes first; the order of the commands is that of the connection.
    const commands = [
      () => ticks.push(tickOf(subject)),
      () => {
        found.subject = versionOf(`u:${subject}`);
        const { blocked = false, claims } = held.get(`u:${subject}`) ?? {};
        found.blocked = blocked;
        if (claims) found.claims = claims;
      },
      ...(tenant === undefined
        ? []
        : [
            () => ticks.push(tickOf(tenant)),
            () => {
              found.tenant = versionOf(`t:${tenant}`);
            },
          ]),
      () => ticks.push(tickOf(REALM_ID)),
      () => {
        found.realm = versionOf(REALM_SCOPE);
        if (sid !== undefined) found.sessionEnded = held.has(`s:${sid}`);
      },
    ];
    await this.#pipelined(commands);
    return { ...answer, ...found, tick: Math.min(...ticks) };
  }

  /** Commands of one write to the socket: in order, but others' commands may come in between. */
  async #pipelined(commands: readonly (() => unknown)[]): Promise<void> {
    const { random } = this.scheduler;
    const cut = random.chance(0.3) ? 1 + random.below(commands.length - 1) : commands.length;
    const { epoch } = this.store;
    for (const part of [commands.slice(0, cut), commands.slice(cut)]) {
      if (part.length === 0) continue;
      await this.run('reads versions', () => {
        if (this.store.epoch !== epoch) throw unavailable();
        for (const command of part) command();
      });
    }
  }
}

export class SessionsClient extends Connection implements SessionStore {
  create(record: SessionRecord, most?: number): Promise<{ count: number; stored: boolean }> {
    return this.run('creates a session', () => this.store.sessions.create(record, most));
  }

  exchange(...told: Parameters<SessionStore['exchange']>): Promise<Exchange> {
    return this.run('exchanges a refresh token', () => this.store.sessions.exchange(...told));
  }

  undelivered(...told: Parameters<SessionStore['undelivered']>): Promise<void> {
    return this.run('takes a successor for undelivered', () => this.store.sessions.undelivered(...told));
  }

  renew(sid: string, renewal: Renewal, id?: NextId): Promise<SessionRecord | undefined> {
    return this.run('renews a session', () => this.store.sessions.renew(sid, renewal, id));
  }

  setUx(sid: string, ux: Readonly<Record<string, string>>): Promise<void> {
    return this.run('changes a session', () => this.store.sessions.setUx(sid, ux));
  }

  read(sid: string): Promise<SessionRecord | undefined> {
    return this.run('reads a session', () => this.store.sessions.read(sid));
  }

  keep(sid: string, subject: string, version: number, floorBefore: number, given?: RolesGiven): Promise<void> {
    return this.run('spares a session', () => this.store.sessions.keep(sid, subject, version, floorBefore, given));
  }

  remove(sid: string): Promise<boolean> {
    return this.run('removes a session', () => this.store.sessions.remove(sid));
  }

  ofSubject(subject: string): Promise<SessionRecord[]> {
    return this.run('finds the sessions of a subject', () => this.store.sessions.ofSubject(subject));
  }
}
