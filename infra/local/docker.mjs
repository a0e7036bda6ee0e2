import { run } from './commands.mjs';
import { inRoot } from './paths.mjs';
import { startProcess } from './processes.mjs';
import { PORTS } from './services.mjs';
import { StartError } from './start-error.mjs';

// Zipkin is for a stack without containers.
const { Zipkin: _, ...OURS } = PORTS;
/** What docker-compose.yml has for its profile `observability`. */
const OBSERVABILITY = { Jaeger: 16686, Prometheus: 9090, Grafana: 3000 };
const COMPOSE = ['compose', '-f', inRoot('docker-compose.yml')];

/**
 * Starts the stack of docker-compose.yml, and waits until all of it is healthy.
 *
 * @param {object} options
 * @param {import('../docker/engine.mjs').Engine} options.engine whose images are built (infra/docker/prepare.mjs)
 * @param {boolean} [options.traces] whether the profile `observability` is on
 * @param {string} options.directory for logs
 * @param {Pick<ReturnType<typeof import('./progress.mjs').createProgress>, 'run'>} options.progress
 * @param {AbortSignal} options.signal gives up, and ends what was started
 * @returns {Promise<import('./stack.mjs').RunningStack>} `stop()` removes the containers, keeps the volumes, and ends
 *   the engine where it was started for this
 * @throws {StartError} where the stack does not come up; it names the log.
 */
export async function startDockerStack({ engine, traces = false, directory, progress, signal }) {
  const log = `${directory}/docker.log`;
  const env = { ...engine.env, ...(traces ? { COMPOSE_PROFILES: 'observability' } : {}) };
  /** @param {readonly string[]} args @param {string} failed */
  const compose = (args, failed, stoppable = true) =>
    run('docker', [...COMPOSE, ...args], {
      log,
      env,
      signal: stoppable ? signal : undefined,
      missing: 'There is no `docker` on the PATH.',
      failed,
    });

  const stop = async () => {
    try {
      await compose(['down'], 'Docker Compose did not end the stack.', false);
    } finally {
      await engine.stop();
    }
  };
  try {
    await progress.run('Docker Compose', () =>
      compose(['up', '--detach', '--wait'], 'Docker Compose did not bring the stack up.'),
    );
  } catch (error) {
    // Why it did not come up is what the caller must know; the log says the rest.
    await stop().catch(() => {});
    throw error;
  }

  // Its containers' output ends when the last of them does.
  const output = { name: 'Docker Compose', command: 'docker', args: [...COMPOSE, 'logs', '--follow'], log, env };
  const following = await startProcess(output);
  const broken = new AbortController();
  following.ended.then(() => broken.abort(new StartError('The containers ended by themselves.', { log })));
  signal.addEventListener('abort', () => broken.abort(signal.reason), { once: true });
  return {
    addresses: Object.entries({ ...OURS, ...(traces ? OBSERVABILITY : {}) }).map(([name, port]) => [
      name,
      name === 'Kafka' || name === 'Redis' ? `127.0.0.1:${port}` : `http://127.0.0.1:${port}`,
    ]),
    signal: broken.signal,
    stop: async () => {
      await following.stop();
      await stop();
    },
  };
}
