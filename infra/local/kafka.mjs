import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { kafkaAnswers } from './kafka-answer.mjs';
import { kafkaFiles } from './kafka-jars.mjs';
import { inRoot } from './paths.mjs';
import { freePort } from './ports.mjs';
import { startProcess, waitUntil } from './processes.mjs';
import { removeDirectory } from './remove-directory.mjs';

/** Long enough for a machine with two busy cores, ms. */
const START_LIMIT_MS = 60_000;

// Starting quickly counts, not serving for days: the quick compiler alone, and the collector without threads.
const JVM =
  '-Xms256m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Djava.awt.headless=true'.split(' ');

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
 * @param {string} options.directory where its log `kafka.log` is, and in `kafka` all that it writes
 * @param {Readonly<Record<string, number>>} [options.listeners] more of them, by name, and their ports on the loopback address
 * @param {string} [options.settings] more of server.properties: what such listeners need
 * @param {(progress: string) => void} [options.say]
 * @param {AbortSignal} [options.signal] gives up, and ends what was started
 * @returns {Promise<RunningKafka>}
 * @throws {StartError} where Java or Maven is missing, or Kafka does not come up; it names the log.
 */
export async function startKafka({ port, directory, listeners = {}, settings = '', say, signal }) {
  const log = `${directory}/kafka.log`;
  const working = `${directory}/kafka`;
  const properties = `${working}/server.properties`;
  const files = await kafkaFiles({ log, say, signal });
  const controllerPort = await freePort();
  await removeDirectory(working);
  await mkdir(`${working}/tmp`, { recursive: true });
  await cp(files.formatted, `${working}/log`, { recursive: true });
  const open = Object.entries({ PLAINTEXT: port, ...listeners })
    .map(([name, at]) => `${name}://127.0.0.1:${at}`)
    .join(',');
  await writeFile(
    properties,
    `${await readFile(inRoot('infra/kafka/server.properties'), 'utf8')}
listeners=${open},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=${open}
controller.quorum.voters=1@127.0.0.1:${controllerPort}
log.dirs=${working}/log
${settings}`,
  );
  const logging = `-Dlog4j2.configurationFile=${inRoot('infra/kafka/log4j2.properties')}`;
  // Its native libraries are unpacked there, and would stay.
  const temporary = `-Djava.io.tmpdir=${working}/tmp`;
  const kafka = await startProcess({
    name: 'Kafka',
    command: 'java',
    args: [...JVM, logging, temporary, '-cp', `${files.libs}/*`, 'kafka.Kafka', properties],
    log,
  });
  const stop = async () => {
    // At once: its data goes with it, and an orderly end of a single node takes seconds.
    await kafka.stop('SIGKILL');
    await removeDirectory(working);
  };
  try {
    await waitUntil(kafka, () => kafkaAnswers(port), { limitMs: START_LIMIT_MS, signal });
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...kafka, brokers: `127.0.0.1:${port}`, stop };
}
