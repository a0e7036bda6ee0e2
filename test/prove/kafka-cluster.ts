import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { kafkaAnswers } from '../../infra/local/kafka-answer.mjs';
import { kafkaFiles } from '../../infra/local/kafka-jars.mjs';
import { inRoot } from '../../infra/local/paths.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { type Started, startProcess, waitUntil } from '../../infra/local/processes.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';

const BROKERS = 3;
const START_LIMIT_MS = 90_000;

const JVM =
  '-Xms128m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Djava.awt.headless=true'.split(' ');

/** Every record on three brokers, acknowledged by two; a broker that is gone is noticed in seconds. */
const CLUSTER = `
default.replication.factor=3
min.insync.replicas=2
unclean.leader.election.enable=false
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=1000
controller.quorum.fetch.timeout.ms=2000
replica.lag.time.max.ms=3000
controlled.shutdown.enable=false
num.network.threads=1
num.io.threads=2
`;

/** One broker, which is a controller too. It keeps what it wrote when it is killed. */
interface Broker {
  readonly name: string;
  /** Where each client finds it, by the client's name, without the link between them. */
  portFor(client: string): number;
  readonly process: Started;
  kill(): Promise<void>;
  /** Starts it again on what it wrote, and resolves when it takes work. */
  restart(): Promise<void>;
}

export interface KafkaCluster {
  readonly brokers: readonly Broker[];
  stop(): Promise<void>;
}

/**
 * Starts a Kafka of three nodes. Each client has a listener of its own on every broker, advertised at another port, so
 * that whatever it sends goes through its own links.
 *
 * @param advertised per client the ports at which it finds the brokers, in their order.
 */
export async function startKafkaCluster(
  directory: string,
  advertised: Readonly<Record<string, readonly number[]>>,
  signal: AbortSignal,
): Promise<KafkaCluster> {
  const files = await kafkaFiles({ log: `${directory}/kafka.log`, say: console.log, signal });
  const clients = Object.keys(advertised);
  const controllers = await freePorts(BROKERS);
  const voters = controllers.map((port, at) => `${at + 1}@127.0.0.1:${port}`).join(',');

  const brokers = await Promise.all(
    controllers.map(async (controller, at): Promise<Broker> => {
      const working = `${directory}/kafka-${at + 1}`;
      const [internal = 0, ...ports] = await freePorts(clients.length + 1);
      await mkdir(`${working}/tmp`, { recursive: true });
      await cp(files.formatted, `${working}/log`, { recursive: true });
      await writeFile(`${working}/log/meta.properties`, await identity(files.formatted, at + 1));
      const listener = (client: string) => client.toUpperCase().replaceAll('-', '_');
      const names = clients.map(listener);
      await writeFile(
        `${working}/server.properties`,
        `${await readFile(inRoot('infra/kafka/server.properties'), 'utf8')}${CLUSTER}
node.id=${at + 1}
listeners=${[['INTERNAL', internal], ['CONTROLLER', controller], ...names.map((name, i) => [name, ports[i]])]
          .map(([name, port]) => `${name}://127.0.0.1:${port}`)
          .join(',')}
advertised.listeners=${[
          ['INTERNAL', internal],
          ...clients.map((client) => [listener(client), advertised[client]?.[at]]),
        ]
          .map(([name, port]) => `${name}://127.0.0.1:${port}`)
          .join(',')}
listener.security.protocol.map=${['INTERNAL', 'CONTROLLER', ...names].map((name) => `${name}:PLAINTEXT`).join(',')}
inter.broker.listener.name=INTERNAL
controller.quorum.voters=${voters}
log.dirs=${working}/log
`,
      );
      const start = () =>
        startProcess({
          name: `Kafka ${at + 1}`,
          command: 'java',
          args: [
            ...JVM,
            `-Dlog4j2.configurationFile=${inRoot('infra/kafka/log4j2.properties')}`,
            `-Djava.io.tmpdir=${working}/tmp`,
            '-cp',
            `${files.libs}/*`,
            'kafka.Kafka',
            `${working}/server.properties`,
          ],
          log: `${directory}/kafka-${at + 1}.log`,
        });
      let running = await start();
      return {
        name: `kafka-${at + 1}`,
        portFor: (client) => ports[clients.indexOf(client)] ?? internal,
        get process() {
          return running;
        },
        kill: () => running.stop('SIGKILL'),
        restart: async () => {
          await running.stop('SIGKILL');
          running = await start();
          await waitUntil(running, () => kafkaAnswers(internal), { limitMs: START_LIMIT_MS, signal });
        },
      };
    }),
  );
  const stop = async () => {
    await Promise.all(brokers.map((broker) => broker.kill()));
    await Promise.all(brokers.map(({ name }) => removeDirectory(`${directory}/${name}`)));
  };
  try {
    await Promise.all(
      brokers.map((broker) =>
        waitUntil(broker.process, () => kafkaAnswers(broker.portFor('')), { limitMs: START_LIMIT_MS, signal }),
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { brokers, stop };
}

/** A formatted directory says whose it is: made another node's, which saves the start of a JVM. */
async function identity(formatted: string, node: number): Promise<string> {
  const properties = await readFile(`${formatted}/meta.properties`, 'utf8');
  return properties
    .replace(/^node\.id=.*$/m, `node.id=${node}`)
    .replace(/^directory\.id=.*$/m, `directory.id=${randomBytes(16).toString('base64url')}`);
}
