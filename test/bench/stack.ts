import { startKafka } from '../../infra/local/kafka.mjs';
import { refreshKeys, signingKey } from '../../infra/local/keys.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { startRedis } from '../../infra/local/redis.mjs';
import { localServices, PORTS, startService } from '../../infra/local/services.mjs';

/** What cases run on: a Redis that serves nobody else, or Kafka, Redis and a session service. */
export type StackKind = 'redis' | 'services';

export interface Stack {
  /** That names it to the cases. */
  readonly environment: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

interface Options {
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** Starts what a benchmark runs on, on free ports. */
export async function startStack(kind: StackKind, { directory, signal }: Options): Promise<Stack> {
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    for (const one of started.reverse()) await one.stop();
  };
  const keep = <T extends { stop(): Promise<void> }>(one: T): T => {
    started.push(one);
    return one;
  };
  try {
    const [redisPort = 0, kafkaPort = 0, servicePort = 0] = await freePorts(3);
    const redis = keep(await startRedis({ port: redisPort, directory, signal }));
    if (kind === 'redis') return { environment: { CURFEW_REDIS_URL: redis.url }, stop };
    const kafka = keep(await startKafka({ port: kafkaPort, directory, signal }));
    const ports = { ...PORTS, 'session-service': servicePort };
    const keys = { signingKey: signingKey(), refreshKeys: refreshKeys() };
    const options = { brokers: kafka.brokers, redisUrl: redis.url, ...keys, ports };
    const sessionService = localServices(options).find(({ name }) => name === 'session-service');
    if (sessionService === undefined) throw new Error('there is no session service');
    const env = { ...sessionService.env, CURFEW_CLIENT_RATE_LIMIT: '1000000' };
    const { pid } = keep(await startService({ ...sessionService, env }, { directory, signal }));
    const named = { CURFEW_REDIS_URL: redis.url, CURFEW_KAFKA_BROKERS: kafka.brokers, CURFEW_BENCH_PID: `${pid}` };
    return { environment: { ...env, ...named }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
