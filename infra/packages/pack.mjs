import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { inRoot, LOCAL } from '../local/paths.mjs';
import { removeDirectory } from '../local/remove-directory.mjs';

/** What others install; what these import of ours comes with them. */
const PUBLIC = ['cli', 'publisher', 'sidecar'];

/** What @platformatic/kafka, which every sidecar and the command reads with, asks for. */
const ENGINES = { node: '^22.22.0 || >=24.6.0' };

/**
 * @typedef {object} Manifest package.json, as far as it is read here
 * @property {string} name
 * @property {string} description
 * @property {Record<string, string>} [bin]
 * @property {Record<string, string>} exports
 * @property {Record<string, string>} dependencies
 */

const manifestOf = (/** @type {string} */ lib) =>
  /** @type {Manifest} */ (JSON.parse(readFileSync(inRoot('libs', lib, 'package.json'), 'utf8')));

/** These libraries, and what they import of ours. @returns {string[]} */
const withOurs = (/** @type {readonly string[]} */ libs) => [
  ...new Set(
    libs.flatMap((lib) => {
      const names = Object.keys(manifestOf(lib).dependencies).filter((name) => name.startsWith('@curfew/'));
      return [lib, ...withOurs(names.map((name) => name.slice('@curfew/'.length)))];
    }),
  ),
];

/** A file of the package, for one of the source. */
const emitted = (/** @type {string} */ path, /** @type {string} */ extension) =>
  path.replace(/^(\.\/)?src\//, '$1dist/').replace(/\.ts$/, extension);

/** A library's package.json as it is where JavaScript and declarations stand in place of the source. */
function published(/** @type {Manifest} */ { bin, exports, ...manifest }) {
  const paths = Object.entries(exports).map(([name, path]) => [
    name,
    { types: emitted(path, '.d.ts'), default: emitted(path, '.js') },
  ]);
  const commands = Object.entries(bin ?? {}).map(([name, path]) => [name, emitted(path, '.js')]);
  return {
    ...manifest,
    ...(bin === undefined ? {} : { bin: Object.fromEntries(commands) }),
    exports: Object.fromEntries(paths),
    files: ['dist'],
    engines: ENGINES,
  };
}

/** Lays a package out, beside where `tsc` has put what it made of the library's source. */
async function layOut(/** @type {string} */ lib, /** @type {string} */ directory) {
  const manifest = manifestOf(lib);
  renameSync(join(directory, 'src'), join(directory, 'dist'));
  writeFileSync(join(directory, 'package.json'), JSON.stringify(published(manifest), undefined, 2));
  await copyFile(inRoot('LICENSE'), join(directory, 'LICENSE'));
  const readme = inRoot('libs', lib, 'README.md');
  if (existsSync(readme)) await copyFile(readme, join(directory, 'README.md'));
  else writeFileSync(join(directory, 'README.md'), `# ${manifest.name}\n\nOf Curfew. ${manifest.description}\n`);
}

/**
 * `npm run packages [directory]`: what a project outside of this repository installs, as tarballs in `dist`. In here
 * everything runs from its TypeScript; Node refuses to do so below node_modules.
 */
async function pack(destination = inRoot('dist')) {
  mkdirSync(LOCAL, { recursive: true });
  mkdirSync(destination, { recursive: true });
  // Of another version, perhaps.
  for (const old of globSync('curfew-*.tgz', { cwd: destination })) rmSync(join(destination, old));
  const staging = mkdtempSync(join(LOCAL, 'packages-'));
  try {
    const tsc = inRoot('node_modules/.bin/tsc');
    execFileSync(tsc, ['-p', inRoot('infra/packages'), '--outDir', staging], { stdio: 'inherit' });
    const directories = withOurs(PUBLIC).map((lib) => ({ lib, directory: join(staging, lib) }));
    await Promise.all(directories.map(({ lib, directory }) => layOut(lib, directory)));
    const args = ['pack', '--silent', '--pack-destination', destination, ...directories.map((one) => one.directory)];
    execFileSync('npm', args, { cwd: staging, stdio: 'inherit' });
  } finally {
    await removeDirectory(staging);
  }
}

await pack(process.argv[2] === undefined ? undefined : resolve(process.argv[2]));
