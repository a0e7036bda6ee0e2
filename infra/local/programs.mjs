import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './commands.mjs';
import { exclusively } from './exclusively.mjs';
import { LOCAL } from './paths.mjs';

/** Where a command is on the PATH; undefined: nowhere. @param {string} command */
const whereOnPath = (command, path = process.env['PATH'] ?? '') =>
  path
    .split(delimiter)
    .map((directory) => join(directory, command))
    .find(isProgram);

/** Whether a command is on the PATH. @param {string} command @param {string} [path] */
export const onPath = (command, path) => whereOnPath(command, path) !== undefined;

/** The Chromium of this machine, by whatever name it has; undefined: there is none. */
export const chromiumPath = () =>
  ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
    .map((command) => whereOnPath(command))
    .find((path) => path !== undefined);

/** @param {string} file */
function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Whether this process may install Debian packages without asking anybody. */
const mayInstall = () => process.getuid?.() === 0 && existsSync('/etc/debian_version') && onPath('apt-get');

// RUNLEVEL: Debian's packages start their service where they can; only the program is wanted.
const APT = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };

export const NO_KCAT = 'There is no `kcat` on the PATH: the tests that produce account events with it are skipped.';
export const NO_CHROMIUM = 'There is no `chromium` on the PATH: the tests of the console in a browser are skipped.';
export const NO_PROMETHEUS =
  'There is no `prometheus`, or no `promtool`, on the PATH: the tests of alerts and dashboards are skipped.';

/**
 * Installs a Debian package where its command is absent and this is Debian, as root; elsewhere it changes nothing.
 *
 * @param {string} command
 * @param {string} debianPackage
 * @param {{ say?: ((progress: string) => void) | undefined, signal?: AbortSignal | undefined }} [options]
 * @returns {Promise<boolean>} whether the command is there now
 * @throws {StartError} where apt-get fails; it names the log.
 */
export async function provide(command, debianPackage, { say, signal } = {}) {
  if (onPath(command)) return true;
  if (!mayInstall()) return false;
  const install = async () => {
    if (onPath(command)) return;
    say?.(`apt-get installs ${debianPackage}`);
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', debianPackage]])
      await run('apt-get', ['-q', ...args], {
        log: `${LOCAL}/apt-get.log`,
        signal,
        env: { ...process.env, ...APT },
        missing: 'There is no `apt-get`.',
        failed: `apt-get did not install ${debianPackage}, which has \`${command}\`.`,
      });
  };
  await exclusively('apt-get', install, { say, signal });
  return onPath(command);
}
