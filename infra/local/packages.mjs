import { statSync } from 'node:fs';
import { run } from './commands.mjs';
import { exclusively } from './exclusively.mjs';
import { inRoot, LOCAL } from './paths.mjs';

/** When a file was written, ms; 0 where there is none. */
const writtenAt = (/** @type {string} */ path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Whether the node modules are there, and not older than the lock file. */
export const packagesAreInstalled = () =>
  // npm writes the second file last, when it has installed everything.
  writtenAt(inRoot('package-lock.json')) <= writtenAt(inRoot('node_modules/.package-lock.json'));

/**
 * Installs the node modules, unless they are there by the time that no other run does so.
 *
 * @param {{ say?: ((progress: string) => void) | undefined, signal?: AbortSignal | undefined }} options
 * @throws {StartError} where npm fails; it names the log.
 */
export async function installPackages({ say, signal }) {
  const install = async () => {
    if (packagesAreInstalled()) return;
    await run('npm', ['ci', '--prefix', inRoot(), '--no-fund', '--no-audit'], {
      log: `${LOCAL}/npm.log`,
      signal,
      missing: 'There is no `npm` on the PATH to install the node modules with.',
      failed: 'npm did not install the node modules.',
      stopBy: 'SIGKILL',
    });
  };
  await exclusively('npm', install, { say, signal });
}
