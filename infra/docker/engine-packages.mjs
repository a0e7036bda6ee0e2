import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { run } from '../local/commands.mjs';
import { exclusively } from '../local/exclusively.mjs';
import { LOCAL } from '../local/paths.mjs';
import { debianMirror, SUITE } from './debian.mjs';

/**
 * Of a Debian that has Compose 2, and an engine that knows `start_interval` (25 or newer). Its programs run on Debian 12
 * too, all but runc, which both have.
 */
const PACKAGES = ['docker.io', 'docker-cli', 'docker-compose', 'docker-buildx', 'containerd', 'tini'];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Whether Debian's packages can be had and be trusted: Debian, as root, which the engine needs as well. */
export const canInstallEngine = () => process.getuid?.() === 0 && existsSync(KEYRING);

/**
 * Debian's Docker, unpacked into a directory of ours: nothing of the machine changes, and nothing starts by itself.
 *
 * @param {{ log: string, say?: ((progress: string) => void) | undefined, signal?: AbortSignal | undefined }} doing
 * @returns {Promise<{ path: string, config: string }>} what goes first on the `PATH`, and a `DOCKER_CONFIG` that has
 *   Compose and Buildx
 * @throws {StartError} where apt-get or dpkg-deb fails; it names the log.
 */
export async function enginePackages({ log, say, signal }) {
  const directory = `${LOCAL}/docker/${SUITE}`;
  const unpack = async () => {
    if (existsSync(directory)) return;
    say?.(`apt-get downloads ${PACKAGES.join(', ')} of Debian ${SUITE}, this once`);
    // Complete or absent, like the jars (infra/local/maven.mjs).
    const partial = `${directory}.${process.pid}`;
    try {
      await download(partial, { log, signal });
      for (const file of await readdir(`${partial}/debs`))
        await run('dpkg-deb', ['--extract', `${partial}/debs/${file}`, partial], {
          log,
          signal,
          missing: 'There is no `dpkg-deb`.',
          failed: `dpkg-deb did not unpack ${file}.`,
        });
      await rm(`${partial}/debs`, { recursive: true });
      await mkdir(`${partial}/config`);
      await rename(`${partial}/usr/libexec/docker/cli-plugins`, `${partial}/config/cli-plugins`);
      await rename(partial, directory);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  };
  await exclusively('docker', unpack, { say, signal });
  return { path: `${directory}/usr/bin:${directory}/usr/sbin`, config: `${directory}/config` };
}

/** apt-get with lists of its own beside the machine's. @param {string} directory @param {{ log: string, signal?: AbortSignal | undefined }} doing */
async function download(directory, { log, signal }) {
  const apt = `${LOCAL}/docker/apt`;
  await mkdir(`${apt}/lists/partial`, { recursive: true });
  await mkdir(`${apt}/cache/archives/partial`, { recursive: true });
  await mkdir(`${directory}/debs`, { recursive: true });
  const source = `deb [signed-by=${KEYRING}] ${debianMirror()} ${SUITE} main\n`;
  await writeFile(`${apt}/sources.list`, source);
  const settings = {
    'Dir::State::lists': `${apt}/lists`,
    'Dir::Cache': `${apt}/cache`,
    'Dir::Etc::sourcelist': `${apt}/sources.list`,
    'Dir::Etc::sourceparts': '-',
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  for (const args of [['update'], ['download', ...PACKAGES]])
    await run('apt-get', ['-q', ...options, ...args], {
      log,
      signal,
      cwd: `${directory}/debs`,
      missing: 'There is no `apt-get`.',
      failed: `apt-get did not download Debian ${SUITE}'s Docker.`,
    });
  await rm(apt, { recursive: true });
}
