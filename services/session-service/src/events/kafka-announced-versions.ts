import { setTimeout as sleep } from 'node:timers/promises';
import {
  announcedUpTo,
  CurfewError,
  type KafkaConnection,
  type ScopeKey,
  type Tick,
  type VersionRecord,
} from '@curfew/contracts';
import { KafkaVersionsReader } from '@curfew/sidecar/versions-reader';
import type { AnnouncedVersions } from '../store/version-store.ts';

/** Longest time that reading all of session-versions may take, ms. */
const READ_LIMIT_MS = 60_000;

/**
 * Reads all that session-versions tells, per partition: what Redis held before it was lost.
 *
 * @throws CurfewError `bus_unavailable` where it cannot be read to its end.
 */
export async function readAnnouncedVersions(
  kafka: KafkaConnection,
  partitions: number,
): Promise<readonly AnnouncedVersions[]> {
  const collected = Array.from({ length: partitions }, () => new Collected());
  const complete = Promise.withResolvers<void>();
  const reader: KafkaVersionsReader = new KafkaVersionsReader({
    ...kafka,
    clientId: 'session-service-restore',
    partitions,
    windowMs: Date.now(),
    now: Date.now,
    sink: {
      begin: () => {},
      apply: (partition, record) => collected[partition]?.add(record),
      // No session service has announced what cannot be understood, so nothing of Redis' was in it.
      undecodable: () => {},
      unreadable: () => {},
      gap: () => complete.reject(new CurfewError('bus_unavailable', 'session-versions changed while it was read')),
      progress: () => {
        if (reader.notReady().length === 0) complete.resolve();
      },
    },
  });
  reader.start();
  const limit = new AbortController();
  const tooLate = sleep(READ_LIMIT_MS, undefined, { signal: limit.signal, ref: false }).then(() => {
    throw new CurfewError('bus_unavailable', `session-versions: ${reader.notReady().join('; ')}`);
  });
  try {
    await Promise.race([complete.promise, tooLate]);
    return collected;
  } finally {
    limit.abort();
    tooLate.catch(() => {});
    await reader.close();
  }
}

class Collected implements AnnouncedVersions {
  readonly versions = new Map<ScopeKey, Pick<VersionRecord, 'current' | 'floor' | 'blocked'>>();
  position = -1;
  #blockedBy = new Map<ScopeKey, number>();

  add(record: VersionRecord | Tick): void {
    this.position = Math.max(this.position, announcedUpTo(record));
    if (record.kind === 'tick') return;
    const { scope, current, floor, offset, blocked } = record;
    const known = this.versions.get(scope);
    // Whether a subject is blocked is no number that only rises: its newest event says it.
    const isNewest = offset >= (this.#blockedBy.get(scope) ?? -1);
    if (isNewest) this.#blockedBy.set(scope, offset);
    const block = isNewest ? blocked : known?.blocked;
    this.versions.set(scope, {
      current: Math.max(current, known?.current ?? 0),
      floor: Math.max(floor, known?.floor ?? 0),
      ...(block ? { blocked: true } : {}),
    });
  }
}
