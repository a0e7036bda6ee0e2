import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { getContainerRuntimeClient } from 'testcontainers';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { inRoot } from '../../infra/local/paths.mjs';
import { openContainers, RUN } from '../support/containers.ts';

/** The containers of a run, by its process id; of every run without one. */
async function containersOf(pid?: number): Promise<string[]> {
  const { container } = await getContainerRuntimeClient();
  const label = [pid === undefined ? RUN : `${RUN}=${pid}`];
  return (await container.dockerode.listContainers({ all: true, filters: { label } })).map(({ Id }) => Id);
}

describe.skipIf(!process.env['CURFEW_TEST_CONTAINERS'])('containers (npm test -- --containers)', () => {
  test('are what the tests run on, and not what takes their place where there is no engine or no image', () => {
    expect(inject('origin')).toMatch(/^Kafka: a container of \S+, Redis: a container of \S+$/);
  });

  const onContainers = inject('origin').includes('a container');
  test.runIf(onContainers)('of a killed run are removed by the next; those of a run that goes on stay', async () => {
    const module = inRoot('test/support/containers.ts');
    const script = `
      const { openContainers } = await import(${JSON.stringify(module)});
      await (await openContainers()).redis();
      setInterval(() => {}, 1000);
      console.log('started');`;
    const run = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void run.kill('SIGKILL'));
    await once(run.stdout, 'data');
    const left = await containersOf(run.pid);
    expect(left).toHaveLength(1);
    const others = (await containersOf()).filter((id) => !left.includes(id));
    expect(others.length).toBeGreaterThan(0);

    run.kill('SIGKILL');
    await once(run, 'exit');
    await openContainers();
    expect(await containersOf(run.pid)).toEqual([]);
    expect(await containersOf()).toEqual(expect.arrayContaining(others));
  });
});
