import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { run } from '../local/commands.mjs';
import { kafkaFiles } from '../local/kafka-jars.mjs';
import { inRoot, LOCAL } from '../local/paths.mjs';
import { provide } from '../local/programs.mjs';
import { nodeBinary } from '../local/services.mjs';
import { StartError } from '../local/start-error.mjs';
import { debianMirror, SUITE } from './debian.mjs';

const DEBIAN = `curfew/debian:${SUITE}`;

/**
 * The images that take the place of public ones where no registry is reached. They have names of their own: nobody
 * takes one for what somebody else publishes.
 */
export const STAND_INS = Object.freeze({
  node: 'curfew/node:24',
  kafka: 'curfew/kafka:4.3.1',
  redis: 'curfew/redis:8',
});

/**
 * How the images are made.
 *
 * @typedef {object} Building
 * @property {(args: readonly string[], failed: string) => Promise<void>} docker runs `docker` to its end
 * @property {string} log
 * @property {((progress: string) => void) | undefined} [say]
 * @property {AbortSignal | undefined} [signal]
 */

/**
 * Makes the stand-ins: a small Debian by debootstrap, and on it Node, Kafka and Redis (infra/docker/base/Dockerfile).
 * What has not changed is taken from the engine's cache.
 *
 * @param {Building} building
 * @throws {StartError} where something fails, or this is not Debian; it names the log.
 */
export async function buildStandIns(building) {
  const { docker, log, say, signal } = building;
  if (!(await hasImage(DEBIAN, building))) await buildDebian(building);
  const kafka = await kafkaFiles({ log, say, signal });
  const contexts = { node: `binary=${dirname(nodeBinary())}`, kafka: `libs=${kafka.libs}`, redis: undefined };
  for (const target of /** @type {const} */ (['node', 'kafka', 'redis'])) {
    say?.(STAND_INS[target]);
    const context = contexts[target];
    const args = ['--target', target, '--tag', STAND_INS[target], '--build-arg', `DEBIAN=${DEBIAN}`];
    const extra = context === undefined ? [] : ['--build-context', context];
    await docker(
      ['buildx', 'build', '--load', ...args, ...extra, inRoot('infra/docker/base')],
      `${STAND_INS[target]} was not built.`,
    );
  }
}

/** @param {string} image @param {Building} building @returns {Promise<boolean>} */
export async function hasImage(image, { docker }) {
  try {
    await docker(['image', 'inspect', '--format', '{{.Id}}', image], 'It is not there.');
    return true;
  } catch (error) {
    if (error instanceof StartError) return false;
    throw error;
  }
}

// What an image does not need, and its packages leave out from the start.
const LEFT_OUT = ['doc', 'man', 'locale', 'info', 'lintian'];
const DPKG = LEFT_OUT.map((folder) => `path-exclude=/usr/share/${folder}/*\n`).join('');

/** @param {Building} building */
async function buildDebian({ docker, log, say, signal }) {
  if (!(await provide('debootstrap', 'debootstrap', { say, signal })))
    throw new StartError(
      'No image registry is reached, and there is no `debootstrap` (a package of Debian) to do without one.',
    );
  say?.(`${DEBIAN}, by debootstrap, this once`);
  await mkdir(`${LOCAL}/docker`, { recursive: true });
  const directory = await mkdtemp(`${LOCAL}/docker/debian-`);
  try {
    await run('debootstrap', ['--variant=minbase', SUITE, directory, debianMirror()], {
      log,
      signal,
      missing: 'There is no `debootstrap`.',
      failed: `debootstrap did not make a Debian ${SUITE}.`,
    });
    const emptied = ['var/lib/apt/lists', 'var/cache/apt', ...LEFT_OUT.map((folder) => `usr/share/${folder}`)];
    for (const folder of emptied.filter((one) => existsSync(`${directory}/${one}`))) {
      await rm(`${directory}/${folder}`, { recursive: true });
      await mkdir(`${directory}/${folder}`);
    }
    // Java's package makes links there.
    await mkdir(`${directory}/usr/share/man/man1`);
    await writeFile(`${directory}/etc/dpkg/dpkg.cfg.d/curfew`, DPKG);
    const archive = `${directory}.tar`;
    try {
      await run('tar', ['--directory', directory, '--create', '--file', archive, '.'], {
        log,
        signal,
        missing: 'There is no `tar`.',
        failed: `The Debian ${SUITE} was not packed.`,
      });
      await docker(['import', archive, DEBIAN], `${DEBIAN} was not imported.`);
    } finally {
      await rm(archive, { force: true });
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
