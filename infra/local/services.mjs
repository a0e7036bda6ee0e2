import { existsSync, realpathSync } from 'node:fs';
import { credentialOf, localClients } from './clients.mjs';
import { inRoot } from './paths.mjs';
import { startProcess, waitUntil } from './processes.mjs';
import { StartError } from './start-error.mjs';
import { tracesTo } from './zipkin.mjs';

const START_LIMIT_MS = 60_000;

/** The ports of the local stack (DESIGN section 8). */
export const PORTS = Object.freeze({
  Kafka: 19092,
  Redis: 16379,
  Zipkin: 9411,
  console: 7000,
  'session-service': 7001,
  'identity-publisher': 7002,
  orders: 7011,
  payments: 7012,
});

/**
 * A service as it is to be started.
 *
 * @typedef {object} Service
 * @property {string} name
 * @property {string} folder under services/
 * @property {number} port
 * @property {Readonly<Record<string, string>>} env
 */

/**
 * The services of the local stack: the sample service runs twice, as orders and as payments, which orders calls.
 *
 * @param {object} options
 * @param {string} options.brokers
 * @param {string} options.redisUrl
 * @param {string} options.signingKey
 * @param {string} options.refreshKeys
 * @param {Readonly<Record<keyof typeof PORTS, number>>} options.ports
 * @param {string | undefined} [options.zipkinUrl] where they send their traces; default: nowhere
 * @returns {Service[]}
 */
export function localServices({ brokers, redisUrl, signingKey, refreshKeys, ports, zipkinUrl }) {
  const traces = tracesTo(zipkinUrl);
  const env = {
    ...traces,
    CURFEW_KAFKA_BROKERS: brokers,
    CURFEW_REDIS_URL: redisUrl,
    CURFEW_ISSUER: `http://127.0.0.1:${ports['session-service']}`,
    CURFEW_AUDIENCE: 'curfew',
  };
  const called = { ...env, CURFEW_CLIENTS: localClients() };
  return [
    {
      name: 'console',
      folder: 'console',
      port: ports.console,
      env: {
        ...traces,
        CURFEW_SESSION_SERVICE_URL: env.CURFEW_ISSUER,
        CURFEW_CONSOLE_CREDENTIAL: credentialOf('console'),
      },
    },
    {
      name: 'session-service',
      folder: 'session-service',
      port: ports['session-service'],
      env: { ...called, CURFEW_SIGNING_KEY: signingKey, CURFEW_REFRESH_KEYS: refreshKeys },
    },
    { name: 'identity-publisher', folder: 'identity-publisher', port: ports['identity-publisher'], env: called },
    {
      name: 'orders',
      folder: 'storefront',
      port: ports.orders,
      env: { ...env, CURFEW_SERVICE_NAME: 'orders', CURFEW_PAYMENTS_URL: `http://127.0.0.1:${ports.payments}` },
    },
    { name: 'payments', folder: 'storefront', port: ports.payments, env: { ...env, CURFEW_SERVICE_NAME: 'payments' } },
  ];
}

/**
 * Starts a service as a process and waits until it can do its work.
 *
 * @param {Service} service
 * @param {{ directory: string, awaitReady?: boolean, signal?: AbortSignal | undefined }} options where its log `<name>.log` goes
 * @returns {Promise<import('./processes.mjs').Started & { readonly url: string }>}
 * @throws {StartError} where it ends or does not become ready; it names the log and the reason of `/readyz`.
 */
export async function startService({ name, folder, port, env }, { directory, awaitReady = true, signal }) {
  const started = await startProcess({
    name,
    command: nodeBinary(),
    args: [inRoot('services', folder, 'src/server.ts')],
    env: { ...process.env, ...env, HOST: '127.0.0.1', PORT: `${port}` },
    log: `${directory}/${name}.log`,
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    if (awaitReady) await waitUntil(started, () => isReady(url), { limitMs: START_LIMIT_MS, signal });
  } catch (error) {
    await started.stop();
    throw error;
  }
  return { ...started, url };
}

/** Whether a service can do its work, or what `/readyz` says against it. @param {string} url */
async function isReady(url) {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1000) });
    return response.ok || `${/** @type {any} */ (await response.json()).detail}`;
  } catch {
    return false;
  }
}

/** The Node 24 of the dependency `node` itself, not a link to it or a script: its process id is the service's. */
export function nodeBinary() {
  const binary = inRoot('node_modules/node/bin/node');
  if (existsSync(binary)) return realpathSync(binary);
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= 24) return process.execPath;
  throw new StartError(
    `The services need Node 24, and node_modules/node has none (npm ci --ignore-scripts?): this is ${process.version}.`,
  );
}
