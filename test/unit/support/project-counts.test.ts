import { afterEach, expect, test, vi } from 'vitest';
import type { SerializedError, TestModule } from 'vitest/node';
import ProjectCounts from '../../support/project-counts.ts';

afterEach(() => vi.restoreAllMocks());

const error = (message: string, line: number): SerializedError => ({
  message,
  stacks: [
    { file: `${process.cwd()}/node_modules/chai/index.js`, line: 1, column: 1, method: '' },
    { file: `${process.cwd()}/test/unit/a.test.ts`, line, column: 1, method: '' },
  ],
});

/** A file of tests of one kind that ended in these states. */
const file = (
  name: string,
  states: readonly string[],
  errors: readonly SerializedError[] = [],
  ofHooks: readonly SerializedError[] = [],
) => {
  const tests = states.map((state, at) => ({
    fullName: `test ${at}`,
    result: () => ({ state, errors: state === 'failed' ? [error('expected 1 to be 2\n- 1\n+ 2', 7)] : [] }),
  }));
  return {
    project: { name, getProvidedContext: () => (name === 'e2e' ? { origin: 'Kafka: a process, Redis: yours' } : {}) },
    relativeModuleId: `test/${name}/a.test.ts`,
    errors: () => errors,
    children: {
      allTests: (state?: string) => tests.filter((_, at) => state === undefined || states[at] === state),
      allSuites: () => [{ fullName: 'the stack > in pieces', errors: () => ofHooks }],
    },
  } as unknown as TestModule;
};

const said = (modules: readonly TestModule[], unhandled: readonly SerializedError[] = []): string => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  new ProjectCounts().onTestRunEnd(modules, unhandled);
  return log.mock.calls.flat().join('\n');
};

test('a run tells how many tests of each kind it had, what did not pass, and on which Kafka and Redis', () => {
  const modules = [file('unit', ['passed', 'passed']), file('e2e', ['passed', 'skipped', 'skipped'])];
  expect(said([...modules, file('unit', ['passed'])])).toBe(
    '\nTests by kind: unit 3, e2e 3 (2 skipped)\nKafka: a process, Redis: yours\n',
  );
});

test('a run tells what failed: a test, a file, a hook, and what no test caught', () => {
  const modules = [
    file('unit', ['passed', 'failed']),
    file('e2e', [], [error('cannot be loaded', 1)]),
    file('chaos', ['passed'], [], [error('not closed', 2)]),
  ];
  const noError = { name: 'Unhandled Rejection' } as SerializedError;
  expect(said(modules, [{ message: 'nobody caught me' }, noError])).toMatch(
    [
      '\nFailed:',
      '  unit test/unit/a.test.ts > test 1: expected 1 to be 2 (test/unit/a.test.ts:7)',
      '  e2e test/e2e/a.test.ts: cannot be loaded (test/unit/a.test.ts:1)',
      '  chaos test/chaos/a.test.ts > the stack > in pieces: not closed (test/unit/a.test.ts:2)',
      '  outside of a test: nobody caught me',
      '  outside of a test: what is no Error',
      '\nTests by kind: unit 2 (1 failed), e2e 0, chaos 1',
    ].join('\n'),
  );
});
