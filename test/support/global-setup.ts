import { rmSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { LOCAL } from '../../infra/local/paths.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { CLUSTER_PORTS, startRedisCluster } from '../../infra/local/redis-cluster.mjs';
import { REMOVAL, removeDirectory } from '../../infra/local/remove-directory.mjs';
import { type Stack, stack } from './stack.ts';

interface Shared {
  readonly stack: Stack;
  readonly origin: string;
  readonly clusterUrl: string;
  readonly stop: () => Promise<void>;
}

// vitest runs this file once for each project, as a module of its own; the projects share one stack by way of this.
const run = globalThis as typeof globalThis & { curfewStack?: { readonly shared: Promise<Shared>; users: number } };

/** Gives the project's tests a real Kafka and a real Redis, and a Redis Cluster of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  run.curfewStack ??= { shared: start(), users: 0 };
  const { curfewStack } = run;
  curfewStack.users += 1;
  const { stack, origin, clusterUrl, stop } = await curfewStack.shared;
  project.provide('stack', stack);
  project.provide('origin', origin);
  project.provide('clusterUrl', clusterUrl);
  return async () => {
    curfewStack.users -= 1;
    if (curfewStack.users > 0) return;
    delete run.curfewStack;
    // An error here would fail the run after its tests were told, and nothing would say why.
    await stop().catch((error) => console.warn('What the tests ran on was not tidied up:', error));
  };
}

async function start(): Promise<Shared> {
  const directory = `${LOCAL}/test-${process.pid}`;
  // A run that is ended from outside reaches no teardown; what it started ends with it all the same.
  const remove = () => rmSync(directory, REMOVAL);
  process.once('exit', remove);
  // One after the other: ports that are drawn, and nobody listens on yet, may be drawn again.
  const cluster = await startRedisCluster({ ports: await freePorts(CLUSTER_PORTS), directory: `${directory}/cluster` });
  const shared = await stack(directory);
  return {
    ...shared,
    clusterUrl: cluster.url,
    stop: async () => {
      await Promise.all([shared.stop(), cluster.stop()]);
      await removeDirectory(directory);
      process.off('exit', remove);
    },
  };
}
