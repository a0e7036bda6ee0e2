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

describe.skipIf(!inject('origin').includes('container'))('containers (npm test -- --containers)', () => {
  test('of a run that was killed are removed by the next one, and those of a run that goes on stay', async () => {
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
