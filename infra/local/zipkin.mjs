import { mkdir, readdir } from 'node:fs/promises';
import { jarsOf } from './maven.mjs';
import { inRoot } from './paths.mjs';
import { startProcess, waitUntil } from './processes.mjs';
import { removeDirectory } from './remove-directory.mjs';

/** Long enough for a machine with two busy cores, ms. */
const START_LIMIT_MS = 60_000;

// As Kafka: it is to start quickly, and not to serve for days.
const JVM = '-Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData'.split(' ');

/**
 * A running Zipkin.
 *
 * @typedef {import('./processes.mjs').Started & { readonly url: string }} RunningZipkin
 */

/**
 * Starts a Zipkin that keeps its traces in memory, and waits until it takes some.
 *
 * @param {object} options
 * @param {number} options.port on the loopback address
 * @param {string} options.directory where its log `zipkin.log` is
 * @param {(progress: string) => void} [options.say]
 * @param {AbortSignal} [options.signal] gives up, and ends what was started
 * @returns {Promise<RunningZipkin>}
 * @throws {StartError} where Java or Maven is missing, or Zipkin does not come up; it names the log.
 */
export async function startZipkin({ port, directory, say, signal }) {
  const log = `${directory}/zipkin.log`;
  const otherwise = 'Or give a Zipkin of yours: CURFEW_ZIPKIN_URL.';
  const jars = await jarsOf({ name: 'Zipkin', pom: inRoot('infra/zipkin/pom.xml'), otherwise }, { log, say, signal });
  const [jar] = await readdir(`${jars}/libs`);
  // Its native libraries are unpacked there, and would stay.
  const temporary = `${directory}/zipkin`;
  await mkdir(temporary, { recursive: true });
  const listens = { 'server.port': port, 'armeria.ports[0].ip': '127.0.0.1', 'armeria.ports[0].port': port };
  const args = Object.entries({ ...listens, 'armeria.ports[0].protocols[0]': 'http' });
  const zipkin = await startProcess({
    name: 'Zipkin',
    command: 'java',
    args: [
      ...[...JVM, `-Djava.io.tmpdir=${temporary}`, '-jar', `${jars}/libs/${jar}`],
      ...args.map(([name, value]) => `--${name}=${value}`),
    ],
    log,
  });
  const stop = async () => {
    await zipkin.stop('SIGKILL');
    await removeDirectory(temporary);
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitUntil(zipkin, () => isUp(url), { limitMs: START_LIMIT_MS, signal });
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...zipkin, url, stop };
}

/** @param {string} url */
const isUp = (url) =>
  fetch(`${url}/health`, { signal: AbortSignal.timeout(1000) }).then(
    ({ ok }) => ok,
    () => false,
  );

/**
 * What has a service send its spans to a Zipkin: OpenTelemetry's own variables, and where the console shows a trace.
 *
 * @param {string | undefined} url undefined: none
 * @returns {Record<string, string>}
 */
export const tracesTo = (url) =>
  url === undefined
    ? {}
    : {
        OTEL_TRACES_EXPORTER: 'zipkin',
        OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${url}/api/v2/spans`,
        CURFEW_TRACE_URL: `${url}/zipkin/traces/{traceId}`,
        // A request's session is told to the other service.
        CURFEW_BAGGAGE_HOSTS: '127.0.0.1',
        // Whoever looks at a trace of their own has just made it.
        OTEL_BSP_SCHEDULE_DELAY: process.env['OTEL_BSP_SCHEDULE_DELAY'] ?? '500',
      };
