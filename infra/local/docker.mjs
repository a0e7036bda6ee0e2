import { credentialOf, localClients } from './clients.mjs';
import { run } from './commands.mjs';
import { refreshKeys, signingKey } from './keys.mjs';
import { inRoot } from './paths.mjs';
import { startProcess } from './processes.mjs';
import { PORTS } from './services.mjs';
import { StartError } from './start-error.mjs';

const NO_DOCKER = 'There is no `docker` on the PATH. Without --docker the stack runs as plain processes.';
// Zipkin is for a stack without containers, which Jaeger, Prometheus and Grafana are not in.
const { Zipkin: _, ...OURS } = PORTS;
const DOCKER_PORTS = { ...OURS, Jaeger: 16686, Prometheus: 9090, Grafana: 3000 };
const COMPOSE = ['compose', '-f', inRoot('docker-compose.yml')];

/**
 * Starts the stack of docker-compose.yml, builds its images first, and waits until all of it is healthy.
 *
 * @param {object} options
 * @param {string} options.directory for logs
 * @param {Pick<ReturnType<typeof import('./progress.mjs').createProgress>, 'run'>} options.progress
 * @param {AbortSignal} options.signal gives up, and ends what was started
 * @returns {Promise<import('./stack.mjs').RunningStack>} `stop()` removes the containers and keeps the volumes
 * @throws {StartError} where no engine answers or the stack does not come up; it names the log.
 */
export async function startDockerStack({ directory, progress, signal }) {
  const log = `${directory}/docker.log`;
  const env = {
    ...process.env,
    CURFEW_SIGNING_KEY: signingKey(),
    CURFEW_REFRESH_KEYS: refreshKeys(),
    CURFEW_CLIENTS: localClients(),
    CURFEW_CONSOLE_CREDENTIAL: credentialOf('console'),
  };
  /** @param {readonly string[]} args @param {string} failed */
  const docker = (args, failed, stoppable = true) =>
    run('docker', args, { log, env, signal: stoppable ? signal : undefined, missing: NO_DOCKER, failed });

  await docker(['info'], 'No Docker engine answers. Without --docker the stack runs as plain processes.');
  await docker(['compose', 'version'], 'This Docker has no Compose (version 2).');
  const down = () => docker([...COMPOSE, 'down'], 'Docker Compose did not end the stack.', false);
  try {
    await progress.run('Docker Compose', () =>
      docker([...COMPOSE, 'up', '--build', '--detach', '--wait'], 'Docker Compose did not bring the stack up.'),
    );
  } catch (error) {
    // Why it did not come up is what the caller must know; the log says the rest.
    await down().catch(() => {});
    throw error;
  }

  // Its containers' output ends when the last of them does.
  const output = { name: 'Docker Compose', command: 'docker', args: [...COMPOSE, 'logs', '--follow'], log, env };
  const following = await startProcess(output);
  const broken = new AbortController();
  following.ended.then(() => broken.abort(new StartError('The containers ended by themselves.', { log })));
  signal.addEventListener('abort', () => broken.abort(signal.reason), { once: true });
  return {
    addresses: Object.entries(DOCKER_PORTS).map(([name, port]) => [
      name,
      name === 'Kafka' || name === 'Redis' ? `127.0.0.1:${port}` : `http://127.0.0.1:${port}`,
    ]),
    signal: broken.signal,
    stop: async () => {
      await following.stop();
      await down();
    },
  };
}
