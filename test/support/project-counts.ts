import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import type {} from './stack.ts';

/**
 * Tells at the end of a run what failed, in a line each, how many tests of each kind there were: `unit 546, integration 60,
 * e2e 39 (1 failed)`; and on which Kafka and Redis, where it had some.
 */
export default class ProjectCounts implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const kinds = new Map<string, Record<'all' | 'failed' | 'skipped', number>>();
    for (const { project, children } of modules) {
      const kind = kinds.get(project.name) ?? { all: 0, failed: 0, skipped: 0 };
      kinds.set(project.name, kind);
      for (const test of children.allTests()) {
        const { state } = test.result();
        kind.all += 1;
        if (state === 'failed' || state === 'skipped') kind[state] += 1;
      }
    }
    const counts = [...kinds].map(([name, { all, ...others }]) => {
      const notPassed = Object.entries(others).filter(([, count]) => count > 0);
      const words = notPassed.map(([state, count]) => `${count} ${state}`).join(', ');
      return `${name} ${all}${words === '' ? '' : ` (${words})`}`;
    });
    const failures = [...modules.flatMap(failuresOf), ...unhandled.map((error) => `outside of a test: ${said(error)}`)];
    if (failures.length > 0) console.log(`\nFailed:\n  ${failures.join('\n  ')}`);
    const origin = modules.map(({ project }) => project.getProvidedContext().origin).find((one) => one !== undefined);
    console.log(`\nTests by kind: ${counts.join(', ')}\n${origin === undefined ? '' : `${origin}\n`}`);
  }
}

function failuresOf(module: TestModule): string[] {
  const where = `${module.project.name} ${module.relativeModuleId}`;
  const whole = module.errors().map((error) => `${where}: ${said(error)}`);
  const tests = [...module.children.allTests('failed')].map(
    (test) => `${where} > ${test.fullName}: ${(test.result().errors ?? []).map(said).join('; ')}`,
  );
  // Of its hooks: its tests may all have passed.
  const suites = [...module.children.allSuites()].flatMap((suite) =>
    suite.errors().map((error) => `${where} > ${suite.fullName}: ${said(error)}`),
  );
  return [...whole, ...suites, ...tests];
}

/** The first line of what an error says, and the first of its places that is ours. What is thrown need not be an Error. */
function said({ message, stacks }: Partial<SerializedError>): string {
  const place = stacks?.find(({ file }) => !file.includes('node_modules'));
  const at = place === undefined ? '' : ` (${place.file.replace(`${process.cwd()}/`, '')}:${place.line})`;
  return `${(message ?? 'what is no Error').split('\n', 1)[0]}${at}`;
}
