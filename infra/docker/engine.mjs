import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { run } from '../local/commands.mjs';
import { LOCAL } from '../local/paths.mjs';
import { startProcess, waitUntil } from '../local/processes.mjs';
import { provide } from '../local/programs.mjs';
import { removeDirectory } from '../local/remove-directory.mjs';
import { StartError } from '../local/start-error.mjs';
import { canInstallEngine, enginePackages } from './engine-packages.mjs';

const START_LIMIT_MS = 60_000;
/** One that takes longer to say its version is none. An engine can accept a question and never answer it. */
const ANSWER_LIMIT_MS = 30_000;
/** At the end; those that are left end with the engine, and the next one removes them. */
const REMOVAL_LIMIT_MS = 10_000;

/** No engine answers, and none can be had: this machine is not one on which we install it. */
export class NoEngine extends StartError {
  constructor() {
    super(
      'No Docker engine with Compose 2 answers, and only on Debian, as root, one can be installed. Give one of yours: DOCKER_HOST.',
    );
  }
}

/**
 * A Docker engine that answers.
 *
 * @typedef {object} Engine
 * @property {NodeJS.ProcessEnv} env where `docker`, `docker compose` and `docker buildx` reach it
 * @property {number | undefined} pid of the engine that was started; undefined where one answered already
 * @property {() => Promise<void>} stop ends the engine that was started, with its containers; its images stay for the
 *   next time. An engine that answered already goes on.
 */

/**
 * The engine that answers, or one of our own: installed where it must be, with a socket of its own, and its images in
 * `.curfew/docker/images`.
 *
 * @param {{ say?: ((progress: string) => void) | undefined, signal?: AbortSignal | undefined }} [options]
 * @returns {Promise<Engine>}
 * @throws {NoEngine} where none answers and none can be had.
 * @throws {StartError} where one can be had and does not start; it names the log.
 */
export async function provideEngine({ say, signal } = {}) {
  const log = `${LOCAL}/docker/engine.log`;
  const doing = { log, say, signal };
  const found = { pid: undefined, stop: async () => {} };
  if ((await isEngine(process.env, doing)) && (await hasCompose(process.env, doing)))
    return { env: process.env, ...found };
  if (!canInstallEngine()) throw new NoEngine();
  const { path, config } = await enginePackages(doing);
  const env = { ...process.env, PATH: `${path}:${process.env['PATH']}`, DOCKER_CONFIG: config };
  // What answered may only have lacked Compose.
  if (await isEngine(env, doing)) return { env, ...found };
  return startEngine(env, doing);
}

/** @param {NodeJS.ProcessEnv} env @param {{ log: string, say?: ((progress: string) => void) | undefined, signal?: AbortSignal | undefined }} doing @returns {Promise<Engine>} */
async function startEngine(env, { log, say, signal }) {
  for (const command of /** @type {const} */ (['runc', 'iptables']))
    if (!(await provide(command, command, { say, signal }))) throw new StartError(`There is no \`${command}\`.`);
  // A socket's path must be short, and a clone's can be long.
  const working = await mkdtemp(`${tmpdir()}/curfew-engine-`);
  const host = `unix://${working}/docker.sock`;
  const own = { ...env, DOCKER_HOST: host };
  const engine = await startProcess({
    name: 'The Docker engine',
    command: 'unshare',
    args: [
      // Its containers are in a process namespace of its own, and end with it, however it ends.
      ...[
        '--fork',
        '--pid',
        '--mount-proc',
        '--kill-child',
        'dockerd',
        '--host',
        host,
        '--exec-root',
        `${working}/exec`,
        '--pidfile',
        `${working}/pid`,
      ],
      ...['--data-root', `${LOCAL}/docker/images`, '--shutdown-timeout', '5'],
    ],
    log,
    env,
  });
  // They would start again with the next engine.
  /** @param {{ limitMs: number, signal?: AbortSignal | undefined }} options */
  const removeContainers = (options) =>
    run('sh', ['-c', 'docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes'], {
      ...options,
      log,
      env: own,
      missing: 'There is no `sh`.',
      failed: 'The containers were not removed.',
    });
  const stop = async () => {
    if (engine.running()) await removeContainers({ limitMs: REMOVAL_LIMIT_MS }).catch(() => {});
    await engine.stop();
    await removeDirectory(working);
  };
  try {
    await waitUntil(engine, () => isEngine(own, { log }), { limitMs: START_LIMIT_MS, signal });
    // Those of an engine that was killed.
    await removeContainers({ limitMs: START_LIMIT_MS, signal });
  } catch (error) {
    await stop();
    throw error;
  }
  say?.(`an engine of its own: process ${engine.pid}, ${host}`);
  return { env: own, pid: engine.pid, stop };
}

/** @typedef {{ log: string, signal?: AbortSignal | undefined }} Asking */

/** @param {NodeJS.ProcessEnv} env @param {Asking} asking */
const isEngine = (env, asking) => succeeds(['version', '--format', '{{.Server.Version}}'], env, asking);

/** @param {NodeJS.ProcessEnv} env @param {Asking} asking */
const hasCompose = (env, asking) => succeeds(['compose', 'version'], env, asking);

/** @param {readonly string[]} args @param {NodeJS.ProcessEnv} env @param {Asking} asking */
async function succeeds(args, env, { log, signal }) {
  try {
    await run('docker', args, {
      log,
      env,
      signal,
      limitMs: ANSWER_LIMIT_MS,
      missing: 'There is no `docker`.',
      failed: 'It does not answer.',
    });
    return true;
  } catch (error) {
    if (error instanceof StartError) return false;
    throw error;
  }
}
