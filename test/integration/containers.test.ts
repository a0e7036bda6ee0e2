import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { getContainerRuntimeClient } from 'testcontainers';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { inRoot } from '../../infra/local/paths.mjs';
import { openContainers, RUN } from '../support/containers.ts';
import { startedBy } from '../support/started-by.ts';

/** The containers of a run, by its process id; of every run without one. */
async function containersOf(pid?: number): Promise<string[]> {
  const { container } = await getContainerRuntimeClient();
  const label = [pid === undefined ? RUN : `${RUN}=${pid}`];
  return (await container.dockerode.listContainers({ all: true, filters: { label } })).map(({ Id }) => Id);
}

/** A run with a container, until it is killed. */
async function startRun(): Promise<ChildProcess> {
  const module = inRoot('test/support/containers.ts');
  const script = `
    const { openContainers } = await import(${JSON.stringify(module)});
    await (await openContainers()).redis();
    setInterval(() => {}, 1000);
    console.log('started');`;
  const run = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void run.kill('SIGKILL'));
  await once(run.stdout, 'data');
  expect(await containersOf(run.pid)).toHaveLength(1);
  return run;
}

async function kill(run: ChildProcess): Promise<void> {
  run.kill('SIGKILL');
  await once(run, 'exit');
}

describe.skipIf(!process.env['CURFEW_TEST_CONTAINERS'])('containers (npm test -- --containers)', () => {
  test('are what the tests run on, and not what takes their place where there is no engine or no image', () => {
    expect(inject('origin')).toMatch(/^Kafka: a container of \S+, Redis: a container of \S+$/);
  });

  describe.runIf(inject('origin').includes('a container'))('of a run', () => {
    test('end with it when it is killed', async () => {
      const run = await startRun();
      await kill(run);
      await expect.poll(() => containersOf(run.pid), { timeout: 5000 }).toEqual([]);
    });

    test('that nobody removed are removed by the next one, and those of a run that goes on stay', async () => {
      const run = await startRun();
      for (const { pid } of startedBy(run.pid)) process.kill(pid, 'SIGKILL');
      await kill(run);
      const [left = ''] = await containersOf(run.pid);
      const others = (await containersOf()).filter((id) => id !== left);
      expect(left).not.toBe('');
      expect(others.length).toBeGreaterThan(0);
      await openContainers();
      expect(await containersOf(run.pid)).toEqual([]);
      expect(await containersOf()).toEqual(expect.arrayContaining(others));
    });
  });
});
