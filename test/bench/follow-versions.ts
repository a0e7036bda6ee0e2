import type { VersionRecord } from '@curfew/contracts';
import { Replica } from '@curfew/replica';
import { KafkaVersionsReader } from '../../libs/sidecar/src/kafka-versions-reader.ts';

const HORIZON_MS = 60_000;

/** A replica that follows session-versions, as a sidecar's does: resolves once it has caught up. */
export async function followVersions(
  brokers: readonly string[],
  onVersion: (replica: Replica, version: VersionRecord) => void,
): Promise<{ readonly replica: Replica; close(): Promise<void> }> {
  const caughtUp = Promise.withResolvers<Replica>();
  let replica: Replica | undefined;
  const reader = new KafkaVersionsReader({
    brokers,
    clientId: 'bench',
    partitions: undefined,
    windowMs: HORIZON_MS,
    now: Date.now,
    sink: {
      begin: (partitions, horizon) => {
        replica = new Replica({ partitions, horizon, now: Date.now });
      },
      apply: (partition, record, announcedAt) => {
        replica?.apply(partition, record, announcedAt);
        if (replica !== undefined && record.kind === 'version') onVersion(replica, record);
      },
      undecodable: () => {},
      unreadable: () => {},
      gap: () => {},
      progress: () => {
        if (replica !== undefined && reader.notReady().length === 0) caughtUp.resolve(replica);
      },
    },
  });
  reader.start();
  return { replica: await caughtUp.promise, close: () => reader.close() };
}
