import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { TestProject } from 'vitest/node';
import { existing } from '../../infra/local/environment.mjs';
import { startKafka } from '../../infra/local/kafka.mjs';
import { LOCAL } from '../../infra/local/paths.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { startRedis } from '../../infra/local/redis.mjs';
import { CLUSTER_PORTS, startRedisCluster } from '../../infra/local/redis-cluster.mjs';
import type { Stack } from './stack.ts';

interface Shared {
  readonly stack: Stack;
  readonly clusterUrl: string;
  readonly stop: () => Promise<void>;
}

// vitest runs this file once for each project, as a module of its own; the projects share one stack by way of this.
const run = globalThis as typeof globalThis & { curfewStack?: { readonly shared: Promise<Shared>; users: number } };

/**
 * Gives the project's tests a real Kafka and a real Redis: those of the environment, or its own for this run; and a Redis
 * Cluster of its own.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  run.curfewStack ??= { shared: start(), users: 0 };
  const { curfewStack } = run;
  curfewStack.users += 1;
  const { stack, clusterUrl, stop } = await curfewStack.shared;
  project.provide('stack', stack);
  project.provide('clusterUrl', clusterUrl);
  return async () => {
    curfewStack.users -= 1;
    if (curfewStack.users > 0) return;
    delete run.curfewStack;
    await stop();
  };
}

async function start(): Promise<Shared> {
  const { brokers, redisUrl } = existing();
  const [kafkaPort = 0, redisPort = 0, ...clusterPorts] = await freePorts(2 + CLUSTER_PORTS);
  const directory = `${LOCAL}/test-${process.pid}`;
  // A run that is ended from outside reaches no teardown; Kafka and Redis end with it all the same.
  const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  process.once('exit', remove);
  const [kafka, redis, cluster] = await Promise.all([
    brokers === undefined ? startKafka({ port: kafkaPort, directory, say: console.log }) : undefined,
    redisUrl === undefined ? startRedis({ port: redisPort, directory }) : undefined,
    startRedisCluster({ ports: clusterPorts, directory: `${directory}/cluster` }),
  ]);
  return {
    stack: {
      brokers: (kafka?.brokers ?? brokers ?? '').split(','),
      redisUrl: redis?.url ?? redisUrl ?? '',
    },
    clusterUrl: cluster.url,
    stop: async () => {
      await Promise.all([kafka?.stop(), redis?.stop(), cluster.stop()]);
      await rm(directory, { recursive: true, force: true });
      process.off('exit', remove);
    },
  };
}
