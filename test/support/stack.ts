import { existing } from '../../infra/local/environment.mjs';
import { startKafka } from '../../infra/local/kafka.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { startRedis } from '../../infra/local/redis.mjs';
import type { Contained } from './containers.ts';

/** The Kafka and the Redis that the tests of one run share: `inject('stack')`. */
export interface Stack {
  /** As `CURFEW_KAFKA_BROKERS` and the options of the libraries want it. */
  readonly brokers: readonly string[];
  readonly redisUrl: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly stack: Stack;
    /** A Redis Cluster of three masters, as `redisUrl` names it. */
    readonly clusterUrl: string;
    /** What Kafka and Redis are, in words. */
    readonly origin: string;
  }
}

interface Part {
  readonly address: string;
  readonly origin: string;
  stop(): Promise<void>;
}

/**
 * A real Kafka and a real Redis, for one run: those that the environment names (`CURFEW_KAFKA_BROKERS`,
 * `CURFEW_REDIS_URL`); otherwise in containers where `npm test -- --containers` asks for them and a Docker engine has the
 * images; otherwise processes of its own.
 *
 * @param directory for the data and the logs of processes.
 */
export async function stack(directory: string): Promise<{ stack: Stack; origin: string; stop: () => Promise<void> }> {
  const { brokers, redisUrl } = existing();
  const asked = (process.env['CURFEW_TEST_CONTAINERS'] ?? '') !== '';
  // Imported where it is wanted: it takes half a second.
  const opened = asked
    ? await import('./containers.ts').then(({ openContainers }) => openContainers()).catch((error: Error) => error)
    : undefined;
  const containers = opened instanceof Error ? undefined : opened;
  const origin = opened instanceof Error ? `a process (${opened.message})` : 'a process';
  const [kafkaPort = 0, redisPort = 0] = await freePorts(2);
  const kafka = async (): Promise<Part> => {
    if (brokers !== undefined) return given(brokers);
    if (containers) return contained(await containers.kafka());
    const started = await startKafka({ port: kafkaPort, directory, say: console.log });
    return { address: started.brokers, origin, stop: started.stop };
  };
  const redis = async (): Promise<Part> => {
    if (redisUrl !== undefined) return given(redisUrl);
    if (containers) return contained(await containers.redis());
    const { url: address, stop } = await startRedis({ port: redisPort, directory });
    return { address, origin, stop };
  };
  const ends = await Promise.allSettled([kafka(), redis()]);
  const stop = async () => {
    await Promise.all(ends.map((end) => (end.status === 'fulfilled' ? end.value.stop() : undefined)));
  };
  const [first, second] = ends;
  if (first.status === 'rejected' || second.status === 'rejected') {
    await stop();
    throw first.status === 'rejected' ? first.reason : (second as PromiseRejectedResult).reason;
  }
  return {
    stack: { brokers: first.value.address.split(','), redisUrl: second.value.address },
    origin: `Kafka: ${first.value.origin}, Redis: ${second.value.origin}`,
    stop,
  };
}

const given = (address: string): Part => ({ address, origin: "the environment's", stop: async () => {} });

const contained = ({ address, image, stop }: Contained): Part => ({ address, origin: `a container of ${image}`, stop });
