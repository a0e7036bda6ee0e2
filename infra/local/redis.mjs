import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { startProcess, waitUntil } from './processes.mjs';
import { removeDirectory } from './remove-directory.mjs';
import { StartError } from './start-error.mjs';

const START_LIMIT_MS = 10_000;

export const NO_REDIS =
  'There is no `redis-server` on the PATH. On Debian: apt-get install redis-server; on a Mac: brew install redis. ' +
  'Or give a Redis of yours: CURFEW_REDIS_URL.';

/**
 * A running Redis.
 *
 * @typedef {import('./processes.mjs').Started & { readonly url: string }} RunningRedis
 */

/**
 * Starts a Redis that keeps nothing on disk, and waits until it answers.
 *
 * @param {object} options
 * @param {number} options.port on the loopback address
 * @param {string} options.directory where its log `redis.log` is
 * @param {AbortSignal} [options.signal] gives up, and ends what was started
 * @returns {Promise<RunningRedis>}
 * @throws {StartError} where there is no `redis-server`, or it does not come up; it names the log.
 */
export async function startRedis({ port, directory, signal }) {
  const working = `${directory}/redis`;
  await mkdir(working, { recursive: true });
  return startServer({ name: 'Redis', port, working, ready: ['PING', '+PONG'], signal });
}

// Nothing on disk; and a record that holds a long text stays in one piece of memory (docs/capacity.md).
export const REDIS_SETTINGS = ['--save', '', '--appendonly', 'no', '--hash-max-listpack-value', '1024'];

/**
 * One `redis-server`, as `startRedis` and a cluster start it.
 *
 * @param {object} options
 * @param {string} options.name
 * @param {number} options.port
 * @param {string} options.working its directory, which is there; its log is beside it
 * @param {readonly string[]} [options.args]
 * @param {readonly [command: string, text: string]} options.ready what it is asked, and a text of the right answer
 * @param {AbortSignal | undefined} options.signal
 * @returns {Promise<RunningRedis>}
 * @throws {StartError}
 */
export async function startServer({ name, port, working, args = [], ready, signal }) {
  const redis = await startProcess({
    name,
    command: 'redis-server',
    args: ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', working, ...REDIS_SETTINGS, ...args],
    log: `${working}.log`,
  }).catch((error) => {
    throw error.cause?.code === 'ENOENT' ? new StartError(NO_REDIS, { cause: error }) : error;
  });
  const stop = async () => {
    await redis.stop();
    await removeDirectory(working);
  };
  try {
    await waitUntil(redis, () => answers(port, ...ready), { limitMs: START_LIMIT_MS, signal });
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...redis, url: `redis://127.0.0.1:${port}`, stop };
}

/**
 * Whether a Redis on the loopback address answers a command with this text in it.
 *
 * @param {number} port
 * @param {string} command
 * @param {string} text
 * @returns {Promise<boolean>}
 */
function answers(port, command, text) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    /** @param {boolean} verdict */
    const end = (verdict) => {
      socket.destroy();
      resolve(verdict);
    };
    socket.setTimeout(1000, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.once('data', (answer) => end(answer.toString('latin1').includes(text)));
  });
}
