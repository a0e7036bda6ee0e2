import { readFile, writeFile } from 'node:fs/promises';
import { run } from './commands.mjs';
import { jarsOf } from './maven.mjs';
import { inRoot } from './paths.mjs';

const CONFIG = inRoot('infra/kafka/server.properties');

/** Any id of the right form: a cluster of one that lives for one run. */
const CLUSTER_ID = 'Y3VyZmV3LWxvY2FsLTAwMQ';

/**
 * This repository's Kafka, ready to start.
 *
 * @typedef {object} KafkaFiles
 * @property {string} libs the directory of its jars
 * @property {string} formatted a formatted, empty log directory: a run copies it, which saves the start of a JVM
 */

/**
 * Has Maven copy Kafka's jars and formats a log directory, unless that was done for this very pom and configuration.
 *
 * @param {import('./maven.mjs').Doing} doing
 * @returns {Promise<KafkaFiles>}
 * @throws {StartError} where Java or Maven is missing and cannot be installed, or Maven fails.
 */
export async function kafkaFiles(doing) {
  const kafka = {
    name: 'Kafka',
    pom: inRoot('infra/kafka/pom.xml'),
    files: [CONFIG],
    otherwise: 'Or give a Kafka of yours: CURFEW_KAFKA_BROKERS.',
    finish: (/** @type {string} */ directory) => format(directory, doing),
  };
  const directory = await jarsOf(kafka, doing);
  return { libs: `${directory}/libs`, formatted: `${directory}/formatted` };
}

/** @param {string} directory @param {import('./maven.mjs').Doing} doing */
async function format(directory, { log, signal }) {
  const properties = `${directory}/format.properties`;
  await writeFile(
    properties,
    `${await readFile(CONFIG, 'utf8')}
listeners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2
controller.quorum.voters=1@127.0.0.1:2
log.dirs=${directory}/formatted
`,
  );
  await run(
    'java',
    ['-cp', `${directory}/libs/*`, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties],
    { log, signal, missing: 'There is no `java`.', failed: "Kafka's log directory could not be formatted." },
  );
}
