import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { run } from './commands.mjs';
import { exclusively } from './exclusively.mjs';
import { inRoot, LOCAL } from './paths.mjs';
import { provide } from './programs.mjs';

const POM = inRoot('infra/kafka/pom.xml');
const CONFIG = inRoot('infra/kafka/server.properties');

/** Any id of the right form: a cluster of one that lives for one run. */
const CLUSTER_ID = 'Y3VyZmV3LWxvY2FsLTAwMQ';

const ADVICE = 'On Debian: apt-get install default-jre-headless maven. Or give a Kafka of yours: CURFEW_KAFKA_BROKERS.';
const NO_JAVA = `Kafka needs Java 17 or newer, and there is no \`java\`. ${ADVICE}`;

/**
 * This repository's Kafka, ready to start.
 *
 * @typedef {object} KafkaFiles
 * @property {string} libs the directory of its jars
 * @property {string} formatted a formatted, empty log directory: a run copies it, which saves the start of a JVM
 */

// The version of Java that Debian calls its default is 17 or newer since Debian 12.
const JAVA = /** @type {const} */ (['java', 'default-jre-headless']);
const MAVEN = /** @type {const} */ (['mvn', 'maven']);

/**
 * Has Maven copy Kafka's jars and formats a log directory, unless that was done for this very pom and configuration.
 *
 * @param {{ log: string, say?: ((progress: string) => void) | undefined, signal?: AbortSignal | undefined }} options
 * @returns {Promise<KafkaFiles>}
 * @throws {StartError} where Java or Maven is missing and cannot be installed, or Maven fails.
 */
export async function kafkaFiles({ log, say, signal }) {
  await provide(...JAVA, { say, signal });
  await run('java', ['-version'], { log, signal, missing: NO_JAVA, failed: 'Java does not run.' });
  const hash = createHash('sha256')
    .update(await readFile(POM))
    .update(await readFile(CONFIG));
  const directory = `${LOCAL}/kafka/${hash.digest('hex').slice(0, 12)}`;
  const files = { libs: `${directory}/libs`, formatted: `${directory}/formatted` };
  if (!existsSync(directory)) await exclusively('kafka', () => make(directory, { log, say, signal }), { say, signal });
  return files;
}

/** @param {string} directory @param {Parameters<typeof kafkaFiles>[0]} options */
async function make(directory, { log, say, signal }) {
  if (existsSync(directory)) return;
  await provide(...MAVEN, { say, signal });
  // Complete or absent: what a stopped run left half done is never taken for Kafka.
  const partial = `${directory}.${process.pid}`;
  try {
    await mkdir(partial, { recursive: true });
    say?.('Maven resolves its jars, this once');
    await run(
      'mvn',
      [
        ...['-B', '-q', '-f', POM],
        ...['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${partial}/libs`],
      ],
      {
        log,
        signal,
        stopBy: 'SIGKILL',
        missing: `Kafka's jars come by Maven, and there is no \`mvn\`. ${ADVICE}`,
        failed: 'Maven did not resolve the jars of Kafka (infra/kafka/pom.xml).',
      },
    );
    await format(partial, { log, signal });
    await rename(partial, directory);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** @param {string} directory @param {{ log: string, signal?: AbortSignal | undefined }} options */
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
    {
      log,
      signal,
      missing: NO_JAVA,
      failed: "Kafka's log directory could not be formatted.",
    },
  );
}
