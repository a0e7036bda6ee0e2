import type { Reporter, TestModule } from 'vitest/node';
import type {} from './stack.ts';

/**
 * Tells at the end of a run how many tests of each kind there were: `unit 546, integration 60, e2e 39 (1 failed)`; and on
 * which Kafka and Redis, where it had some.
 */
export default class ProjectCounts implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
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
    const origin = modules.map(({ project }) => project.getProvidedContext().origin).find((one) => one !== undefined);
    console.log(`\nTests by kind: ${counts.join(', ')}\n${origin === undefined ? '' : `${origin}\n`}`);
  }
}
