import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createPublisher, type Publisher } from '@curfew/publisher';
import { localClients } from '../../infra/local/clients.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { type Started, waitUntil } from '../../infra/local/processes.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { startService } from '../../infra/local/services.mjs';
import type { Decision, Place } from './history.ts';
import { type KafkaCluster, startKafkaCluster } from './kafka-cluster.ts';
import { createPoisoner } from './kafka-logs.ts';
import { EmbeddedMember, type Member, StorefrontMember } from './members.ts';
import { createRandom } from './random.ts';
import { RedisPair } from './redis-pair.ts';
import { TcpLink } from './tcp-link.ts';
import type { Victim } from './victim.ts';

export interface WorldOptions {
  readonly directory: string;
  readonly seed: number;
  /** Processes that embed the sidecar, and storefronts. */
  readonly embedded: number;
  readonly storefronts: number;
  /** The bound that the services are told; the checker has its own. */
  readonly maxViewAgeMs: number;
  readonly maxClockSkewMs: number;
  readonly decisionsPerSecond: number;
  readonly onDecisions: (decisions: Decision[]) => void;
  readonly signal: AbortSignal;
}

/** The ways of one client to Kafka (one to each broker) and to Redis. */
interface Links {
  readonly kafka: readonly TcpLink[];
  readonly redis: TcpLink;
}

/** An instance of the session service. */
interface Instance extends Victim {
  readonly url: string;
  readonly port: number;
}

/** The whole stack, with a link in every way that may fail. */
export interface World {
  readonly partitions: number;
  readonly maxClockSkewMs: number;
  readonly kafka: KafkaCluster;
  readonly redis: RedisPair;
  readonly sessionServices: readonly Instance[];
  readonly members: readonly Member[];
  readonly links: ReadonlyMap<string, Links>;
  readonly publisher: Publisher;
  /** Sends a record that cannot be understood. */
  sendPoison(text: string): Promise<Place>;
  /** For the harness' own look at Kafka, by no link. */
  readonly brokers: readonly string[];
  stop(): Promise<void>;
}

/** As many as the default: each stalls by itself. */
const PARTITIONS = 12;
const READY_LIMIT_MS = 60_000;
/** The rate of a storefront: over HTTP a decision costs a thousand times as much. */
const STOREFRONT_RATE = 40;
/** Windows and sizes that are small enough to be outgrown in a run: sessions older than the horizon, entries evicted. */
const WINDOWS_MS = [900_000, 20_000, 900_000, 10_000];
const SIZES = [100_000, 100_000, 24, 100_000];

const HARNESS = 'harness';
const PUBLISHER = 'publisher';

export async function startWorld(options: WorldOptions): Promise<World> {
  const { directory, embedded, storefronts, signal } = options;
  await removeDirectory(directory);
  await mkdir(directory, { recursive: true });
  const sessionNames = ['session-1', 'session-2'];
  const embeddedNames = Array.from({ length: embedded }, (_, i) => `sidecar-${i + 1}`);
  const storefrontNames = ['orders', 'payments'].slice(0, storefronts);
  const clients = [HARNESS, PUBLISHER, ...sessionNames, ...embeddedNames, ...storefrontNames];

  const closers: (() => unknown)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    // The links first: their ports are what Kafka advertises, and once they listen nobody else takes them.
    const backends: { kafka?: KafkaCluster; redis?: RedisPair } = {};
    const links = new Map<string, Links>();
    for (const client of clients) {
      const toKafka = [0, 1, 2].map((at) => TcpLink.listen(() => backends.kafka?.brokers[at]?.portFor(client)));
      const link = { kafka: await Promise.all(toKafka), redis: await TcpLink.listen(() => backends.redis?.port) };
      links.set(client, link);
      closers.push(() => [...link.kafka, link.redis].map((one) => one.close()));
    }
    const advertised = Object.fromEntries(
      Array.from(links, ([client, { kafka }]) => [client, kafka.map(({ port }) => port)]),
    );
    const [kafka, redis] = await Promise.all([
      startKafkaCluster(directory, advertised, signal),
      RedisPair.start(directory),
    ]);
    Object.assign(backends, { kafka, redis });
    closers.push(
      () => redis.stop(),
      () => kafka.stop(),
    );
    const brokersFor = (client: string) => (advertised[client] ?? []).map((port) => `127.0.0.1:${port}`);
    const redisUrlFor = (client: string) => `redis://127.0.0.1:${links.get(client)?.redis.port}`;

    // What stands in front of the two instances, so that keys are to be had while one of them lives.
    const random = createRandom(options.seed);
    const balancer = await TcpLink.listen(() => {
      const alive = sessionServices.filter(({ process }) => process.running());
      return alive.length === 0 ? undefined : random.pick(alive).port;
    });
    closers.push(() => balancer.close());
    const servicePorts = await freePorts(4);
    const issuer = `http://127.0.0.1:${balancer.port}`;
    const common = {
      CURFEW_ISSUER: issuer,
      CURFEW_AUDIENCE: 'curfew',
      CURFEW_MAX_VIEW_AGE_MS: `${options.maxViewAgeMs}`,
    };
    const signingKey = JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));
    const refreshKeys = randomBytes(32).toString('base64url');
    const sessionServices: Instance[] = await Promise.all(
      sessionNames.map((name, at) =>
        startVictim(servicePorts[at] ?? 0, (port) =>
          startService(
            {
              name,
              folder: 'session-service',
              port,
              env: {
                ...common,
                CURFEW_KAFKA_BROKERS: brokersFor(name).join(','),
                CURFEW_REDIS_URL: redisUrlFor(name),
                CURFEW_CLIENTS: localClients(),
                CURFEW_SIGNING_KEY: signingKey,
                CURFEW_REFRESH_KEYS: refreshKeys,
                CURFEW_PARTITIONS: `${PARTITIONS}`,
              },
            },
            { directory, awaitReady: false },
          ),
        ),
      ),
    );
    closers.push(() => Promise.all(sessionServices.map((service) => service.kill())));
    const publisher = createPublisher({ brokers: brokersFor(PUBLISHER), issuer, clientId: PUBLISHER });
    closers.push(() => publisher.close());
    await Promise.all(
      sessionServices.map((service) =>
        waitUntil(service.process, () => isReady(service.url), { limitMs: READY_LIMIT_MS, signal }),
      ),
    );
    const poisoner = createPoisoner(brokersFor(PUBLISHER), PARTITIONS);
    closers.push(() => poisoner.close());
    await Promise.all([publisher.start(), poisoner.start()]);

    const settingsOf = (name: string, at: number) => ({
      brokers: brokersFor(name),
      redisUrl: redisUrlFor(name),
      issuer,
      audience: 'curfew',
      service: name,
      windowMs: WINDOWS_MS[at % WINDOWS_MS.length] ?? 900_000,
      maxEntries: SIZES[at % SIZES.length] ?? 100_000,
      maxViewAgeMs: options.maxViewAgeMs,
      // One clock is behind as far as it may be, one ahead.
      skewMs: [0, -options.maxClockSkewMs, 0, options.maxClockSkewMs][at % 4] ?? 0,
      seed: options.seed + at,
      decisionsPerSecond: options.decisionsPerSecond,
    });
    const memberOptions = (name: string, at: number) => ({
      settings: settingsOf(name, at),
      directory,
      onDecisions: options.onDecisions,
    });
    const members: Member[] = await Promise.all([
      ...embeddedNames.map((name, at) => EmbeddedMember.start(memberOptions(name, at))),
      ...storefrontNames.map((name, at) => {
        const settings = { ...settingsOf(name, 0), decisionsPerSecond: STOREFRONT_RATE };
        return StorefrontMember.start(
          { ...memberOptions(name, at), settings },
          servicePorts[at + 2] ?? 0,
          createRandom(options.seed + at),
        );
      }),
    ]);
    closers.push(() => {
      for (const member of members) member.rest();
      return Promise.all(members.map((member) => member.kill()));
    });
    return {
      partitions: PARTITIONS,
      maxClockSkewMs: options.maxClockSkewMs,
      kafka,
      redis,
      sessionServices,
      members,
      links,
      publisher,
      sendPoison: poisoner.send,
      brokers: brokersFor(HARNESS),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A service at a port of its own, as something that faults happen to. */
async function startVictim(
  port: number,
  start: (port: number) => Promise<Started & { readonly url: string }>,
): Promise<Instance> {
  let running = await start(port);
  return {
    name: running.name,
    url: running.url,
    port,
    get process() {
      return running;
    },
    kill: () => running.stop('SIGKILL'),
    restart: async () => {
      await running.stop('SIGKILL');
      running = await start(port);
    },
  };
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1000) }).then(
    ({ ok }) => ok,
    () => false,
  );
