import { statSync } from 'node:fs';
import { run } from './commands.mjs';
import { inRoot, LOCAL } from './paths.mjs';

/** When a file was written, ms; 0 where there is none. */
const writtenAt = (/** @type {string} */ path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/**
 * Installs the node modules where they are absent or older than the lock file.
 *
 * @param {{ say?: ((progress: string) => void) | undefined, signal?: AbortSignal | undefined }} [options]
 * @throws {StartError} where npm fails; it names the log.
 */
export async function installPackages({ say, signal } = {}) {
  // npm writes the second file last, when it has installed everything.
  if (writtenAt(inRoot('package-lock.json')) <= writtenAt(inRoot('node_modules/.package-lock.json'))) return;
  say?.('npm installs the node modules');
  await run('npm', ['ci', '--prefix', inRoot(), '--no-fund', '--no-audit'], {
    log: `${LOCAL}/npm.log`,
    signal,
    missing: 'There is no `npm` on the PATH to install the node modules with.',
    failed: 'npm did not install the node modules.',
  });
}
