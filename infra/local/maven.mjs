import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { run } from './commands.mjs';
import { exclusively } from './exclusively.mjs';
import { LOCAL, shown } from './paths.mjs';
import { provide } from './programs.mjs';

// The version of Java that Debian calls its default is 17 or newer since Debian 12.
const JAVA = /** @type {const} */ (['java', 'default-jre-headless']);
const MAVEN = /** @type {const} */ (['mvn', 'maven']);

const ON_DEBIAN = 'On Debian: apt-get install default-jre-headless maven.';

/** @typedef {{ log: string, say?: ((progress: string) => void) | undefined, signal?: AbortSignal | undefined }} Doing */

/**
 * Has Maven copy the jars that a pom names, unless that was done for these very files, and makes of them what `finish`
 * makes of them.
 *
 * @param {object} program
 * @param {string} program.name as messages call it
 * @param {string} program.pom
 * @param {readonly string[]} [program.files] what else the result depends on
 * @param {string} program.otherwise how to do without it, in words
 * @param {(directory: string) => Promise<void>} [program.finish] the jars are in `libs` there
 * @param {Doing} doing
 * @returns {Promise<string>} the directory
 * @throws {StartError} where Java or Maven is missing and cannot be installed, or Maven fails.
 */
export async function jarsOf({ name, pom, files = [], otherwise, finish }, { log, say, signal }) {
  await provide(...JAVA, { say, signal });
  const missing = `${name} needs Java 17 or newer, and there is no \`java\`. ${ON_DEBIAN} ${otherwise}`;
  await run('java', ['-version'], { log, signal, missing, failed: 'Java does not run.' });
  const hash = createHash('sha256');
  for (const file of [pom, ...files]) hash.update(await readFile(file));
  const folder = name.toLowerCase();
  const directory = `${LOCAL}/${folder}/${hash.digest('hex').slice(0, 12)}`;

  const make = async () => {
    if (existsSync(directory)) return;
    await provide(...MAVEN, { say, signal });
    // Complete or absent: what a stopped run left half done is never taken for the program.
    const partial = `${directory}.${process.pid}`;
    try {
      await mkdir(partial, { recursive: true });
      say?.('Maven resolves its jars, this once');
      await run(
        'mvn',
        [
          ...['-B', '-q', '-f', pom],
          ...['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${partial}/libs`],
        ],
        {
          log,
          signal,
          stopBy: 'SIGKILL',
          missing: `The jars of ${name} come by Maven, and there is no \`mvn\`. ${ON_DEBIAN} ${otherwise}`,
          failed: `Maven did not resolve the jars of ${name} (${shown(pom)}).`,
        },
      );
      await finish?.(partial);
      await rename(partial, directory);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  };
  if (!existsSync(directory)) await exclusively(folder, make, { say, signal });
  return directory;
}
