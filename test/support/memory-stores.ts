import { partitionOf, REALM_ID } from '@curfew/contracts';
import {
  type AnnouncedVersions,
  type AppliedVersion,
  type Change,
  RollbackError,
  type SubjectVersions,
  type VersionStore,
} from '../../services/session-service/src/store/version-store.ts';
import { PARTITIONS } from './account-event-records.ts';

interface Held {
  current: number;
  floor: number;
  blocked: boolean;
  floorBefore?: number;
  claims?: { json: string; since: number };
}

/** The fold of DESIGN section 4, in memory: the model that the Lua script is compared with. */
export class MemoryVersions implements VersionStore {
  readonly positions = new Map<number, number>();
  /** Per partition the newest tick applied. */
  readonly ticks = new Map<number, number>();
  /** The tick that `read` tells; by default the oldest of the partitions read. */
  tick: number | undefined;
  readonly held = new Map<string, Held>();
  /** Per partition how far a restoration has come that is under way. */
  readonly restored = new Map<number, string>();
  readonly partitions: number;

  constructor(partitions = PARTITIONS) {
    this.partitions = partitions;
  }

  async position(partition: number): Promise<number> {
    return this.positions.get(partition) ?? -1;
  }

  async forgetPosition(partition: number): Promise<void> {
    this.positions.delete(partition);
    this.ticks.delete(partition);
    this.restored.delete(partition);
  }

  async apply(
    partition: number,
    known: number,
    last: number,
    changes: readonly Change[],
    tick = 0,
  ): Promise<AppliedVersion[]> {
    const found = await this.position(partition);
    if (found < known) throw new RollbackError(found);
    const versions = changes.map((change) => this.#fold(change, change.offset > found));
    this.positions.set(partition, Math.max(found, last));
    this.ticks.set(partition, Math.max(this.ticks.get(partition) ?? 0, tick));
    return versions;
  }

  async restore(partition: number, { versions, position }: AnnouncedVersions): Promise<boolean> {
    return this.restoreChunk(partition, versions, { after: '', mark: 'all', position });
  }

  /** One call of the script: only behind the chunk before, and where there is no position. */
  restoreChunk(
    partition: number,
    versions: AnnouncedVersions['versions'],
    { after, mark, position }: { after: string; mark: string; position: number | undefined },
  ): boolean {
    if (this.positions.has(partition) || (after !== '' && this.restored.get(partition) !== after)) return false;
    for (const [scope, { current, blocked = false }] of versions) {
      const newest = Math.max(current, this.held.get(scope)?.current ?? 0);
      this.held.set(scope, { current: newest, floor: newest, blocked, floorBefore: newest });
    }
    if (position === undefined) this.restored.set(partition, mark);
    else {
      this.restored.delete(partition);
      this.positions.set(partition, position);
    }
    return true;
  }

  #fold({ scope, time, ends, blocked, claims }: Change, fresh: boolean): AppliedVersion {
    const held = this.held.get(scope) ?? { current: 0, floor: 0, blocked: false };
    if (fresh) {
      held.current = Math.max(held.current + 1, time);
      if (ends) {
        held.floorBefore = held.floor;
        held.floor = held.current;
      }
      if (blocked !== undefined) held.blocked = blocked;
      if (claims !== undefined) held.claims = { json: claims, since: held.current };
      this.held.set(scope, held);
    }
    return {
      current: held.current,
      floor: held.floor,
      applied: fresh,
      blocked: held.blocked,
      floorBefore: held.floorBefore ?? held.floor,
    };
  }

  #oldestTick(...ids: string[]): number {
    return Math.min(...ids.map((id) => this.ticks.get(partitionOf(id, this.partitions)) ?? 0));
  }

  async read(subject: string, tenant?: string, sid?: string): Promise<SubjectVersions> {
    const version = (scope: string) => {
      const { current = 0, floor = 0 } = this.held.get(scope) ?? {};
      return { current, floor };
    };
    const { blocked = false, claims } = this.held.get(`u:${subject}`) ?? {};
    return {
      subject: version(`u:${subject}`),
      tenant: version(tenant === undefined ? '' : `t:${tenant}`),
      realm: version('r'),
      tick: this.tick ?? this.#oldestTick(subject, ...(tenant === undefined ? [] : [tenant]), REALM_ID),
      blocked,
      sessionEnded: sid !== undefined && this.held.has(`s:${sid}`),
      ...(claims ? { claims } : {}),
    };
  }
}
