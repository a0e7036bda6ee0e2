import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { kafkaAnswers } from './kafka-answer.mjs';
import { kafkaFiles } from './kafka-jars.mjs';
import { inRoot } from './paths.mjs';
import { freePort } from './ports.mjs';
import { startProcess, waitUntil } from './processes.mjs';

/** Long enough for a machine with two busy cores, ms. */
const START_LIMIT_MS = 60_000;

// Starting quickly counts, not serving for days: the quick compiler alone, and the collector without threads.
const JVM = '-Xms256m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Djava.awt.headless=true'.split(
  ' ',
);

/**
 * A running Kafka.
 *
 * @typedef {import('./processes.mjs').Started & { readonly brokers: string }} RunningKafka
 */

/**
 * Starts a Kafka of one node (KRaft) that holds nothing, and waits until it takes work. `stop()` removes what it wrote.
 *
 * @param {object} options
 * @param {number} options.port on the loopback address
 * @param {string} options.directory its configuration, its log directory and its log `kafka.log`; nothing else is there
 * @param {(progress: string) => void} [options.say]
 * @param {AbortSignal} [options.signal] gives up, and ends what was started
 * @returns {Promise<RunningKafka>}
 * @throws {StartError} where Java or Maven is missing, or Kafka does not come up; it names the log.
 */
export async function startKafka({ port, directory, say, signal }) {
  const log = `${directory}/kafka.log`;
  const properties = `${directory}/server.properties`;
  const logDirectory = `${directory}/kafka`;
  await mkdir(directory, { recursive: true });
  const files = await kafkaFiles({ log, say, signal });
  const controllerPort = await freePort();
  await rm(logDirectory, { recursive: true, force: true });
  await cp(files.formatted, logDirectory, { recursive: true });
  await writeFile(
    properties,
    `${await readFile(inRoot('infra/kafka/server.properties'), 'utf8')}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.quorum.voters=1@127.0.0.1:${controllerPort}
log.dirs=${logDirectory}
`,
  );
  const logging = `-Dlog4j2.configurationFile=${inRoot('infra/kafka/log4j2.properties')}`;
  const kafka = await startProcess({
    name: 'Kafka',
    command: 'java',
    args: [...JVM, logging, '-cp', `${files.libs}/*`, 'kafka.Kafka', properties],
    log,
  });
  const stop = async () => {
    // At once: its data goes with it, and an orderly end of a single node takes seconds.
    await kafka.stop('SIGKILL');
    await rm(logDirectory, { recursive: true, force: true });
    await rm(properties, { force: true });
  };
  try {
    await waitUntil(kafka, () => kafkaAnswers(port), { limitMs: START_LIMIT_MS, signal });
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...kafka, brokers: `127.0.0.1:${port}`, stop };
}
