import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { run } from '../local/commands.mjs';
import { inRoot, LOCAL } from '../local/paths.mjs';
import { StartError } from '../local/start-error.mjs';
import { buildStandIns, hasImage, STAND_INS } from './stand-ins.mjs';

/** The image of the services, as docker-compose.yml names it. */
const SERVICE_IMAGE = 'curfew';
/** The default of infra/docker/Dockerfile. */
const NODE_IMAGE = 'node:24-slim';

/** What .dockerignore lets through. */
const SOURCES = ['package.json', 'package-lock.json', '.npmrc', 'libs', 'services'];

/**
 * Builds the image of the services and, where no image registry is reached, the stand-ins for the public images.
 *
 * @param {object} options
 * @param {NodeJS.ProcessEnv} options.env of an engine that answers (infra/docker/engine.mjs)
 * @param {string} options.log
 * @param {((progress: string) => void) | undefined} [options.say]
 * @param {AbortSignal | undefined} [options.signal]
 * @returns {Promise<typeof STAND_INS | undefined>} the stand-ins; undefined where the public images serve
 * @throws {StartError} where something fails; it names the log.
 */
export async function buildImages({ env, log, say, signal }) {
  /** @type {import('./stand-ins.mjs').Building['docker']} */
  const docker = (args, failed) =>
    run('docker', args, { log, env, signal, missing: 'There is no `docker` on the PATH.', failed });
  const building = { docker, log, say, signal };
  const dockerfile = ['--tag', SERVICE_IMAGE, '--file', inRoot('infra/docker/Dockerfile')];
  const build = (/** @type {readonly string[]} */ args) => {
    say?.(SERVICE_IMAGE);
    return docker(['buildx', 'build', '--load', ...dockerfile, ...args, inRoot()], 'The services were not built.');
  };

  if (await isReached(building)) {
    await build([]);
    return undefined;
  }
  say?.(`no image registry has ${NODE_IMAGE}: images of Debian's packages take the public ones' place`);
  await buildStandIns(building);
  const packages = await mkdtemp(`${LOCAL}/docker/packages-`);
  try {
    await installPackages(packages, building);
    await build(['--build-arg', `NODE_IMAGE=${STAND_INS.node}`, '--build-context', `packages=${packages}`]);
  } finally {
    await rm(packages, { recursive: true, force: true });
  }
  return STAND_INS;
}

/** Whether the public base image is here, or can be. @param {import('./stand-ins.mjs').Building} building */
async function isReached(building) {
  if (await hasImage(NODE_IMAGE, building)) return true;
  try {
    await building.docker(['pull', '--quiet', NODE_IMAGE], 'It cannot be pulled.');
    return true;
  } catch (error) {
    if (error instanceof StartError) return false;
    throw error;
  }
}

/**
 * The Dockerfile's stage `packages`, made outside: only this machine's npm knows its registry and whom to trust there.
 *
 * @param {string} directory @param {import('./stand-ins.mjs').Building} building
 */
async function installPackages(directory, { log, signal }) {
  const curfew = `${directory}/curfew`;
  await mkdir(curfew);
  const filter = (/** @type {string} */ path) => !path.endsWith('/node_modules');
  for (const one of SOURCES) await cp(inRoot(one), `${curfew}/${one}`, { recursive: true, filter });
  await run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--loglevel=error'], {
    log,
    signal,
    cwd: curfew,
    missing: 'There is no `npm` on the PATH.',
    failed: 'npm did not install the packages of the services.',
  });
}
