import { canaries, isCanary, partitionOf } from '@curfew/contracts';
import { describe, expect, test } from 'vitest';

describe('canaries', () => {
  test.each([1, 12, 100])('are one for each of %d partitions, and known as such', (partitions) => {
    const subjects = canaries(partitions);
    expect(subjects.map((subject) => partitionOf(subject, partitions))).toEqual([...Array(partitions).keys()]);
    expect(subjects.every(isCanary)).toBe(true);
  });

  test.each(['alice', 'curfew.canary.', 'curfew.canary.x', 'curfew.canary.1.2', 'xcurfew.canary.1'])(
    'are not called %s',
    (subject) => {
      expect(isCanary(subject)).toBe(false);
    },
  );
});
