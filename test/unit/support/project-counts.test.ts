import { afterEach, expect, test, vi } from 'vitest';
import type { TestModule } from 'vitest/node';
import ProjectCounts from '../../support/project-counts.ts';

afterEach(() => vi.restoreAllMocks());

/** A file of tests of one kind that ended in these states. */
const file = (name: string, ...states: string[]) =>
  ({
    project: { name, getProvidedContext: () => (name === 'e2e' ? { origin: 'Kafka: a process, Redis: yours' } : {}) },
    children: { allTests: () => states.map((state) => ({ result: () => ({ state }) })) },
  }) as unknown as TestModule;

test('a run tells how many tests of each kind it had, what did not pass, and on which Kafka and Redis', () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  new ProjectCounts().onTestRunEnd([
    file('unit', 'passed', 'passed'),
    file('e2e', 'passed', 'failed', 'skipped', 'skipped'),
    file('unit', 'passed'),
  ]);
  expect(log).toHaveBeenCalledExactlyOnceWith(
    '\nTests by kind: unit 3, e2e 4 (1 failed, 2 skipped)\nKafka: a process, Redis: yours\n',
  );
});
