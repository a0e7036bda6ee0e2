import type { ScopeKey, VersionRecord } from '@curfew/contracts';
import type { SubjectVersions, Version } from '@curfew/store';

export type { SubjectVersions } from '@curfew/store';

/** One change of a version, as the fold applies it: `current' = max(current + 1, time)`. */
export interface Change {
  readonly scope: ScopeKey;
  /** The event's offset in its partition. */
  readonly offset: number;
  /** When the bus acknowledged the event, ms since the epoch. */
  readonly time: number;
  /** true raises `floor` too: sessions end. */
  readonly ends: boolean;
  readonly blocked?: boolean;
  /** JSON of the claims that the subject's sessions take on when they renew. */
  readonly claims?: string;
}

export interface AppliedVersion extends Version {
  /** false: the event had been applied before, and these are the versions of now. */
  readonly applied: boolean;
  /** No new session is made for the subject. */
  readonly blocked: boolean;
  /** The floor before the newest bump that raised it. */
  readonly floorBefore: number;
}

/** What session-versions tells of one partition. */
export interface AnnouncedVersions {
  readonly versions: ReadonlyMap<ScopeKey, Pick<VersionRecord, 'current' | 'floor' | 'blocked'>>;
  /** Offset of the newest event that was announced: those before it were, too. -1 for none. */
  readonly position: number;
}

export interface VersionStore {
  /** Offset of the last account event applied from a partition; -1 for none. */
  position(partition: number): Promise<number>;
  /** Lets a partition be applied from its beginning: for a log that was made anew, and is shorter than the position. */
  forgetPosition(partition: number): Promise<void>;
  /**
   * Applies changes and moves the position to `last`, as one. Changes at or below the stored position are not applied
   * again; their versions of now are returned.
   *
   * @param known the position that the caller knows to be stored.
   * @param tick newest tick among the records up to `last`, which is stored with the position; 0 for none.
   * @throws RollbackError where the stored position is behind it: nothing was changed.
   * @throws CurfewError `store_unavailable`
   */
  apply(
    partition: number,
    known: number,
    last: number,
    changes: readonly Change[],
    tick?: number,
  ): Promise<AppliedVersion[]>;
  /**
   * Fills a partition that was lost as a whole from what was announced of it. The claims that bumps brought are not
   * announced: every session that had yet to renew ends instead.
   *
   * @returns false where the partition has a position by now, or was lost again meanwhile: look again.
   * @throws CurfewError `store_unavailable`
   */
  restore(partition: number, announced: AnnouncedVersions): Promise<boolean>;
  /** @throws CurfewError `store_unavailable` */
  read(subject: string, tenant?: string, sid?: string): Promise<SubjectVersions>;
}

/** Redis has lost writes: it stands at `position`, and the events after it must be applied again. */
export class RollbackError extends Error {
  override readonly name = 'RollbackError';
  readonly position: number;

  constructor(position: number) {
    super(`the store stands at offset ${position}, behind what was applied`);
    this.position = position;
  }
}
