import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ContainerRuntimeClient,
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { STAND_INS } from '../../infra/docker/stand-ins.mjs';
import { kafkaAnswers } from '../../infra/local/kafka-answer.mjs';
import { inRoot } from '../../infra/local/paths.mjs';
import { freePort } from '../../infra/local/ports.mjs';
import { REDIS_SETTINGS } from '../../infra/local/redis.mjs';
import { alive } from './alive.ts';

/** Which run a container is of: the process that ends it. */
export const RUN = 'dev.curfew.test-run';
const HOST = 'dev.curfew.test-host';

/** As docker-compose.yml names it, and what `npm run images` makes where no image registry is reached. */
const imagesOf = (name: 'kafka' | 'redis'): readonly string[] => {
  const compose = readFileSync(inRoot('docker-compose.yml'), 'utf8');
  const [, image = ''] = new RegExp(`\\{CURFEW_${name.toUpperCase()}_IMAGE:-(.+)\\}`).exec(compose) ?? [];
  return [image, STAND_INS[name]];
};

const START_LIMIT_MS = 60_000;

/** A Kafka or a Redis in a container. */
export interface Contained {
  readonly address: string;
  readonly image: string;
  stop(): Promise<void>;
}

export interface Containers {
  kafka(): Promise<Contained>;
  redis(): Promise<Contained>;
}

/**
 * A Docker engine that has the images. What an earlier run left there is removed now. What this one starts ends with it:
 * by Ryuk, the reaper of Testcontainers, where its image is at hand, and by a process that waits for that.
 *
 * @throws Error with the reason in words, where there is no engine or no image.
 */
export async function openContainers(): Promise<Containers> {
  const client = await getContainerRuntimeClient().catch(() => {
    throw new Error('no Docker engine answers');
  });
  const kafkaImage = await imageAtHand(client, imagesOf('kafka'));
  const redisImage = await imageAtHand(client, imagesOf('redis'));
  await chooseReaper(client);
  await removeContainers((pid) => !alive(pid));
  guard();
  // Where ports are published. The name may mean ::1, where Kafka is not told to be.
  const host = client.info.containerRuntime.host.replace('localhost', '127.0.0.1');
  return { kafka: () => startKafka(kafkaImage, host), redis: () => startRedis(redisImage, host) };
}

async function imageAtHand(client: ContainerRuntimeClient, images: readonly string[]): Promise<string> {
  for (const image of images) if (await client.image.exists(ImageName.fromString(image))) return image;
  throw new Error(`the engine has no ${images[0]}: pull it or, where no image registry is reached, npm run images`);
}

async function chooseReaper({ container: { dockerode } }: ContainerRuntimeClient): Promise<void> {
  const tags = (await dockerode.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []);
  const ryuk = tags.find((tag) => tag.startsWith('testcontainers/ryuk:'));
  if (ryuk === undefined) process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  else process.env['RYUK_CONTAINER_IMAGE'] ??= ryuk;
}

/** Removes the containers of some runs of this machine, by the process ids of the runs. */
export async function removeContainers(isOver: (pid: number) => boolean): Promise<void> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const filters = { label: [`${HOST}=${hostname()}`, RUN] };
  for (const { Id, Labels } of await dockerode.listContainers({ all: true, filters }))
    if (isOver(Number(Labels[RUN]))) await dockerode.getContainer(Id).remove({ force: true, v: true });
}

function guard(): void {
  const script = inRoot('test/support/containers-guard.ts');
  const stdio = ['pipe', 'ignore', 'ignore'] as const;
  const waiting = spawn(process.execPath, [script, `${process.pid}`], { detached: true, stdio: [...stdio] });
  waiting.unref();
  // A pipe is a socket here, whatever its type says.
  (waiting.stdin as Socket).unref();
}

/** A container of this run. */
const containerOf = (image: string) =>
  new GenericContainer(image)
    .withLabels({ [RUN]: `${process.pid}`, [HOST]: hostname() })
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(START_LIMIT_MS);

async function startRedis(image: string, host: string): Promise<Contained> {
  const container = await containerOf(image)
    .withCommand(['redis-server', ...REDIS_SETTINGS])
    .withExposedPorts(6379)
    .start();
  return { address: `redis://${host}:${container.getMappedPort(6379)}`, image, stop: () => end(container) };
}

async function startKafka(image: string, host: string): Promise<Contained> {
  // It says where it is found: the port must be known before it starts.
  const port = await freePort();
  const container = await containerOf(image)
    .withEnvironment({
      ...asVariables(readFileSync(inRoot('infra/kafka/server.properties'), 'utf8')),
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${host}:${port}`,
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_LOG_DIRS: '/var/lib/kafka/data',
      KAFKA_HEAP_OPTS: '-Xms256m -Xmx512m',
      KAFKA_JVM_PERFORMANCE_OPTS: '-XX:+UseSerialGC -XX:TieredStopAtLevel=1',
    })
    .withExposedPorts({ container: 9092, host: port })
    .start();
  for (const limit = Date.now() + START_LIMIT_MS; !(await kafkaAnswers(port, host)); await sleep(25))
    if (Date.now() > limit) {
      await end(container);
      throw new Error(`Kafka in ${image} is not ready after ${START_LIMIT_MS / 1000} s`);
    }
  return { address: `${host}:${port}`, image, stop: () => end(container) };
}

/** A properties file as the images of Kafka take it: `KAFKA_` and the name, with `_` for a dot. */
const asVariables = (properties: string): Record<string, string> =>
  Object.fromEntries(
    [...properties.matchAll(/^([\w.]+)=(.*)$/gm)].map(([, name = '', value = '']) => [
      `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`,
      value,
    ]),
  );

/** At once: what it holds goes with it. */
const end = async (container: StartedTestContainer) => void (await container.stop({ timeout: 0 }));
