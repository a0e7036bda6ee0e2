import { CurfewError } from '@curfew/contracts';
import { describe, expect, test, vi } from 'vitest';
import { resumptionOf } from '../../../services/session-service/src/events/partition-positions.ts';
import { PartitionWork } from '../../../services/session-service/src/events/partition-work.ts';
import type { Pipeline } from '../../../services/session-service/src/events/pipeline.ts';
import { RollbackError } from '../../../services/session-service/src/store/version-store.ts';
import { recordOf } from '../../support/account-event-records.ts';
import { MemoryVersions } from '../../support/memory-stores.ts';

const records = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => recordOf('alice', {}, { offset: from + i }));

function work(process: Pipeline['process'], applied = -1) {
  const waits: number[] = [];
  const done: number[] = [];
  const heartbeat = vi.fn(async () => {});
  const partitionWork = new PartitionWork({
    partition: 7,
    applied,
    pipeline: { process },
    onRetry: () => {},
    sleep: async (ms) => {
      waits.push(ms);
    },
    random: () => 0.999,
  });
  const control = { heartbeat, isOurs: () => true, done: (offset: number) => done.push(offset) };
  return { partitionWork, control, waits, done, heartbeat };
}

const succeeds: Pipeline['process'] = async (_partition, _known, batch) => batch.at(-1)?.offset ?? -1;

describe('the work on one partition', () => {
  test('takes a long batch in chunks, each with the position after the one before', async () => {
    const process = vi.fn(succeeds);
    const { partitionWork, control, done } = work(process);
    await partitionWork.take(records(0, 1200), control);
    expect(process.mock.calls.map(([, known, chunk]) => [known, chunk.length])).toEqual([
      [-1, 500],
      [499, 500],
      [999, 200],
    ]);
    expect(done).toEqual([499, 999, 1199]);
  });

  test('tries the same records again for as long as the store is away, waits longer each time, and stays in the group', async () => {
    let failures = 10;
    const { partitionWork, control, waits, done, heartbeat } = work(async (...args) => {
      if (failures-- > 0) throw new CurfewError('store_unavailable');
      return succeeds(...args);
    });
    await partitionWork.take(records(5, 1), control);
    expect(done).toEqual([5]);
    expect(heartbeat).toHaveBeenCalledTimes(11);
    expect(waits[0]).toBeLessThanOrEqual(50);
    expect(waits[3]).toBeGreaterThan(waits[0] ?? 0);
    expect(Math.max(...waits)).toBeLessThanOrEqual(2000);
  });

  test('does not insist where the store has lost writes: its partition is to be positioned anew', async () => {
    const { partitionWork, control, done, waits } = work(async () => {
      throw new RollbackError(3);
    });
    await expect(partitionWork.take(records(10, 2), control)).rejects.toMatchObject({ position: 3 });
    expect([done, waits]).toEqual([[], []]);
  });

  test('leaves a partition that became another’s, without calling it done', async () => {
    const { partitionWork, control, done } = work(async () => {
      throw new CurfewError('store_unavailable');
    });
    let asked = 0;
    await partitionWork.take(records(0, 1), { ...control, isOurs: () => asked++ < 3 });
    expect(done).toEqual([]);
  });
});

describe('where a partition is read on from', () => {
  const resume = async (applied: number, committed: number, end: number) => {
    const versions = new MemoryVersions();
    return resumptionOf(7, applied, { committed, end }, versions);
  };

  test('after the smaller of what was applied and what was announced', async () => {
    expect(await resume(9, 10, 20)).toEqual({ next: 10, applied: 9, logRestarted: false });
    expect(await resume(9, 4, 20)).toMatchObject({ next: 4, applied: 9 });
    expect(await resume(3, 10, 20)).toMatchObject({ next: 4, applied: 3 });
  });

  test('from the beginning, where nothing was ever applied or announced', async () => {
    expect(await resume(-1, -1, 20)).toMatchObject({ next: 0, applied: -1 });
    expect(await resume(9, -1, 20)).toMatchObject({ next: 0, applied: 9 });
    expect(await resume(-1, 10, 20)).toMatchObject({ next: 0, applied: -1 });
  });

  test('from the beginning, where the log is shorter than the position: it is another log', async () => {
    expect(await resume(9, 10, 5)).toEqual({ next: 0, applied: -1, logRestarted: true });
  });
});
