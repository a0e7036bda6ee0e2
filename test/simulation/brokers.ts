import {
  CurfewError,
  decodeVersionRecord,
  encodeLogTick,
  encodeVersionRecord,
  type Tick,
  type VersionRecord,
} from '@curfew/contracts';
import type { Announcement, Bus } from '../../services/session-service/src/events/bus.ts';
import type { LogRecord } from '../../services/session-service/src/events/log-record.ts';
import type { AnnouncedVersions } from '../../services/session-service/src/store/version-store.ts';
import { type Entry, Log } from './log.ts';
import type { Actor, Scheduler } from './scheduler.ts';

export const noBroker = (): Error => new CurfewError('bus_unavailable', 'no answer');

/** What a broker does for a consumer group: one assignment at a time, and what was committed under it. */
export class Group {
  generation = 0;
  /** Per partition the member that it belongs to. */
  readonly owners: string[];
  /** Per partition the offset of the next record, -1 before the first commit. */
  readonly committed: number[];

  constructor(partitions: number) {
    this.owners = Array.from({ length: partitions }, () => '');
    this.committed = Array.from({ length: partitions }, () => -1);
  }

  assign(ownerOf: (partition: number) => string): void {
    this.generation++;
    for (const partition of this.owners.keys()) this.owners[partition] = ownerOf(partition);
  }

  of(member: string): number[] {
    return [...this.owners.keys()].filter((partition) => this.owners[partition] === member);
  }
}

/** Kafka: the logs, the group, and who hears of what is written. */
export class Brokers {
  readonly events: Log;
  readonly versions: Log;
  readonly group: Group;
  /** Ids of events that were announced, and of records that were kept aside. */
  readonly announced = new Set<string>();
  readonly rejected = new Set<string>();
  readonly #decoded = new WeakMap<Entry, VersionRecord | Tick>();

  constructor(partitions: number, now: () => number) {
    this.events = new Log(partitions, now);
    this.versions = new Log(partitions, now);
    this.group = new Group(partitions);
  }

  /** What a reader of session-versions understands, decoded once. */
  versionOf(entry: Entry): VersionRecord | Tick {
    let record = this.#decoded.get(entry);
    if (record === undefined) {
      const decoded = decodeVersionRecord(entry.key, entry.value);
      if (!decoded.ok) throw new Error(`session-versions holds what cannot be understood: ${decoded.code}`);
      record = decoded.value;
      this.#decoded.set(entry, record);
    }
    return record;
  }

  /** All that session-versions tells of a partition, as `readAnnouncedVersions` collects it. */
  announcedOf(partition: number): AnnouncedVersions {
    const versions = new Map<VersionRecord['scope'], Pick<VersionRecord, 'current' | 'floor' | 'blocked'>>();
    let position = -1;
    for (const entry of this.versions.entries(partition)) {
      const record = this.versionOf(entry);
      position = Math.max(position, record.offset);
      if (record.kind === 'tick') continue;
      const known = versions.get(record.scope);
      if (!known || record.current >= known.current) versions.set(record.scope, record);
    }
    return { versions, position };
  }
}

export interface BusHooks {
  readonly onAnnounced: (record: VersionRecord, partition: number) => void;
  /** A record of the account-event log that was sent again into its own partition. */
  readonly onForwarded: (entry: Entry, partition: number) => void;
  /** The tick goes ahead of the announcements that it vouches for. */
  readonly tickFirst: boolean;
}

/** One process' producer. */
export class BusClient implements Bus {
  readonly #scheduler: Scheduler;
  readonly #brokers: Brokers;
  readonly #actor: Actor;
  readonly #hooks: BusHooks;

  constructor(scheduler: Scheduler, brokers: Brokers, actor: Actor, hooks: BusHooks) {
    this.#scheduler = scheduler;
    this.#brokers = brokers;
    this.#actor = actor;
    this.#hooks = hooks;
  }

  async announce(partition: number, announcements: readonly Announcement[], tick?: Tick): Promise<void> {
    const records = announcements.map(({ record }) => record);
    if (tick === undefined || !this.#hooks.tickFirst) {
      if (records.length > 0 || tick) await this.#produce(partition, tick ? [...records, tick] : records);
      return;
    }
    await this.#produce(partition, [tick]);
    if (records.length > 0) await this.#produce(partition, records);
  }

  /** One request: all of it is appended, or nothing. */
  #produce(partition: number, records: readonly (VersionRecord | Tick)[]): Promise<void> {
    const append = () => {
      for (const record of records) {
        const { key, value } = encodeVersionRecord(record);
        this.#brokers.versions.append(partition, key, value);
        if (record.kind === 'tick') continue;
        this.#brokers.announced.add(record.id);
        this.#hooks.onAnnounced(record, partition);
      }
    };
    const detail = () =>
      records.map((r) => (r.kind === 'tick' ? `tick ${r.tick}` : `${r.scope}=${r.current}`)).join(' ');
    return this.#send(`announces in ${partition}`, append, detail);
  }

  tick(partitions: Iterable<number>, tick: number): Promise<void> {
    const { key, value } = encodeLogTick(tick);
    const append = () => {
      for (const partition of partitions) this.#brokers.events.append(partition, key, value);
    };
    return this.#send('writes a tick', append, () => `${tick} into ${[...partitions].join(' ')}`);
  }

  setAside({ value }: LogRecord): Promise<void> {
    return this.#send('keeps a record aside', () => void this.#brokers.rejected.add(String(value)));
  }

  forward({ key, value }: LogRecord, partition: number): Promise<void> {
    return this.#send(`forwards a record to ${partition}`, () => {
      const entry = this.#brokers.events.append(partition, String(key), value ?? Buffer.of());
      this.#hooks.onForwarded(entry, partition);
    });
  }

  #send(what: string, effect: () => void, detail?: () => string): Promise<void> {
    return this.#scheduler.io(this.#actor, { what, effect, failure: noBroker, ...(detail ? { detail } : {}) });
  }
}
