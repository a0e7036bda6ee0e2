import { execFileSync } from 'node:child_process';
import { StartError } from '../local/start-error.mjs';

/** The Debian that the engine and the images are of: the oldest with Compose 2, and with a Redis of version 8. */
export const SUITE = 'trixie';

/**
 * Where this machine's apt takes Debian's packages from.
 *
 * @returns {string} a URL that ends with a slash
 * @throws {StartError} where it takes them from nowhere, or there is no apt.
 */
export function debianMirror() {
  const format = '$(COMPONENT) $(ORIGIN) $(REPO_URI)';
  try {
    const targets = execFileSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const mirror = /^main (?:Debian)? ?(\S+\/debian\/)$/m.exec(targets)?.[1];
    if (mirror !== undefined) return mirror;
    throw new StartError("This machine's apt knows no mirror of Debian.");
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError('There is no `apt-get` that says where Debian is.', { cause: error });
  }
}
