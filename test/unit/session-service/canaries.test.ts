import { CurfewError, canaries, partitionOf } from '@curfew/contracts';
import type { Publisher } from '@curfew/publisher';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Canaries } from '../../../services/session-service/src/events/canaries.ts';
import { PARTITIONS } from '../../support/account-event-records.ts';

const subjects: string[] = [];
const sessionRevoked = vi.fn<Publisher['sessionRevoked']>(async (revocation) => {
  subjects.push('subject' in revocation ? revocation.subject : '');
  return { id: 'jti', partition: 0, offset: 0 };
});
let owned: number[];
let notReady: string[];
const begun: Canaries[] = [];

function begin(intervalMs: number): void {
  const made = new Canaries({
    publisher: { sessionRevoked, notReady: () => notReady },
    partitions: () => owned,
    count: PARTITIONS,
    intervalMs,
  });
  made.start();
  begun.push(made);
}

beforeEach(() => {
  vi.useFakeTimers();
  sessionRevoked.mockClear();
  subjects.length = 0;
  owned = [3, 7];
  notReady = [];
});
afterEach(() => {
  for (const one of begun.splice(0)) one.stop();
  vi.useRealTimers();
});

test('one partition after the other gets the canary that falls into it, of those that are owned by now', async () => {
  begin(5000);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(subjects.map((subject) => partitionOf(subject, PARTITIONS))).toEqual([3, 7, 3]);
  expect(canaries(PARTITIONS)).toEqual(expect.arrayContaining(subjects));
  owned = [];
  await vi.advanceTimersByTimeAsync(5000);
  owned = [11];
  await vi.advanceTimersByTimeAsync(5000);
  expect(subjects.slice(3).map((subject) => partitionOf(subject, PARTITIONS))).toEqual([11]);
});

test('none is published while the bus is away, and one that fails is not missed', async () => {
  begin(1000);
  notReady = ['Kafka is away'];
  await vi.advanceTimersByTimeAsync(3000);
  expect(sessionRevoked).not.toHaveBeenCalled();
  notReady = [];
  sessionRevoked.mockRejectedValueOnce(new CurfewError('bus_unavailable'));
  await vi.advanceTimersByTimeAsync(2000);
  expect(sessionRevoked).toHaveBeenCalledTimes(2);
});

test('an interval of 0 is none', async () => {
  begin(0);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sessionRevoked).not.toHaveBeenCalled();
});
