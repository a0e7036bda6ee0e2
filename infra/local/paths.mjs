import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's own directory. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A file of the repository, by its path in it. */
export const inRoot = (/** @type {string[]} */ ...parts) => resolve(ROOT, ...parts);

/** Everything that a local run writes: jars, logs, a run's data, the signing key. Git ignores it. */
export const LOCAL = inRoot('.curfew');

/** A path as a message shows it: from the working directory, where that is shorter. */
export function shown(/** @type {string} */ path) {
  const short = relative(process.cwd(), path);
  return short.length < path.length ? short : path;
}
