import { CurfewError } from '@curfew/contracts';
import { describe, expect, test, vi } from 'vitest';
import { LogRestartedError, resumptionOf } from '../../../services/session-service/src/events/partition-positions.ts';
import { backoffMs, PartitionWork } from '../../../services/session-service/src/events/partition-work.ts';
import type { Pipeline } from '../../../services/session-service/src/events/pipeline.ts';
import { RollbackError } from '../../../services/session-service/src/store/version-store.ts';
import { recordOf } from '../../support/account-event-records.ts';
import { MemoryVersions } from '../../support/memory-stores.ts';

const records = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => recordOf('alice', {}, { offset: from + i }));

function work(process: Pipeline['process'], { applied = -1, next = 0 } = {}) {
  const done: number[] = [];
  const heartbeat = vi.fn(async () => {});
  const partitionWork = new PartitionWork({ partition: 7, applied, next, pipeline: { process } });
  const control = { heartbeat, isOurs: () => true, done: (offset: number) => done.push(offset) };
  return { partitionWork, control, done, heartbeat };
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

  test('leaves what failed to be brought again, counts the failures in a row, and does not do twice what is done', async () => {
    let failures = 3;
    const process = vi.fn<Pipeline['process']>(async (...args) => {
      if (args[2][0]?.offset === 500 && failures-- > 0) throw new CurfewError('store_unavailable');
      return succeeds(...args);
    });
    const { partitionWork, control, done } = work(process);
    await expect(partitionWork.take(records(0, 700), control)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(done).toEqual([499]);
    for (const expected of [2, 3]) {
      await expect(partitionWork.take(records(500, 200), control)).rejects.toThrow();
      expect(partitionWork.failures).toBe(expected);
    }
    await partitionWork.take(records(500, 200), control);
    expect(done).toEqual([499, 699]);
    expect(partitionWork.failures).toBe(0);
  });

  test('waits longer after each failure, with jitter, and no longer than two seconds', () => {
    const most = [0, 1, 2, 3, 20].map((attempt) => backoffMs(attempt, () => 1));
    expect(most).toEqual([50, 100, 200, 400, 2000]);
    expect(backoffMs(5, () => 0)).toBe(0);
  });

  test('takes a record that lies before what it read for what it is: another log', async () => {
    const { partitionWork, control, done } = work(vi.fn(succeeds), { applied: 9, next: 10 });
    await partitionWork.take(records(10, 5), control);
    await expect(partitionWork.take(records(0, 2), control)).rejects.toBeInstanceOf(LogRestartedError);
    expect(done).toEqual([14]);
  });

  test('does not insist where the store has lost writes: its partition is to be positioned anew', async () => {
    const { partitionWork, control, done } = work(async () => {
      throw new RollbackError(3);
    });
    await expect(partitionWork.take(records(10, 2), control)).rejects.toMatchObject({ position: 3 });
    expect(done).toEqual([]);
  });

  test('leaves a partition that became another’s', async () => {
    const process = vi.fn(succeeds);
    const { partitionWork, control, done } = work(process);
    let asked = 0;
    await partitionWork.take(records(0, 1200), { ...control, isOurs: () => asked++ < 1 });
    expect(done).toEqual([499]);
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
