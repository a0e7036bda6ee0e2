import type { VersionStore } from '../store/version-store.ts';

/** A record came whose offset lies before what was read: the log was made anew while it was read. */
export class LogRestartedError extends Error {
  override readonly name = 'LogRestartedError';

  constructor(partition: number) {
    super(`partition ${partition} of the log begins anew`);
  }
}

/** Offsets of one partition, as Kafka counts them: `committed` and `end` are the offset of a next record. */
export interface LogOffsets {
  /** What the group committed, or -1 for nothing. */
  readonly committed: number;
  readonly end: number;
}

/** Where to read on in a partition, and what its store is known to have applied. */
export interface Resumption {
  readonly next: number;
  readonly applied: number;
  /** true: the log ends before the position in the store, so it was made anew, and is applied from its beginning. */
  readonly logRestarted: boolean;
}

/**
 * Where to go on after an assignment: after the smaller of what was applied and what was announced (DESIGN section 4).
 * From the store alone, a crash between the two would lose announcements; from Kafka alone, a store that lost writes
 * would keep its gap.
 *
 * @param applied the position in the store, read before the log's end was: the owner before may be at work still, and
 *   what it applied in between would make the log look too short.
 */
export async function resumptionOf(
  partition: number,
  applied: number,
  { committed, end }: LogOffsets,
  versions: Pick<VersionStore, 'forgetPosition'>,
): Promise<Resumption> {
  if (applied >= end || committed > end) {
    await versions.forgetPosition(partition);
    return { next: 0, applied: -1, logRestarted: true };
  }
  return { next: Math.min(applied + 1, Math.max(committed, 0)), applied, logRestarted: false };
}
