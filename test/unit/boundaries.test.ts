import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Who may import whom (DESIGN section 10). A service may import no other service, and not the replica itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'libs/cli': ['contracts', 'publisher', 'sidecar', 'store'],
  'libs/contracts': [],
  'libs/replica': ['contracts'],
  'libs/store': ['contracts'],
  'libs/telemetry': ['contracts'],
  'libs/http': ['contracts', 'telemetry'],
  'libs/publisher': ['contracts', 'telemetry'],
  'libs/sidecar': ['contracts', 'replica', 'store', 'telemetry'],
  ...Object.fromEntries(
    readdirSync('services').map((name) => [
      `services/${name}`,
      ['contracts', 'http', 'publisher', 'sidecar', 'store', 'telemetry'],
    ]),
  ),
};
const PACKAGES = Object.keys(MAY_IMPORT);
const NAMES = PACKAGES.map((path) => basename(path));
const CLIENTS = ['kafkajs', '@platformatic/kafka', 'ioredis'];

const root = mkdtempSync(join(tmpdir(), 'curfew-boundaries-'));
/** Which rules Biome finds broken, by file. */
const broken = new Map<string, Set<string>>();

function plant(path: string, source: string): string {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), source);
  return path;
}

const plantedImport = (from: string, file: string, specifier: string): string =>
  plant(`${from}/src/${file}-${specifier.replaceAll(/\W+/g, '-')}.ts`, `import '${specifier}';\n`);

/** One file for each import that could stand anywhere, in a file of any name and in one that may touch a client. */
const ofOurs = PACKAGES.flatMap((from) =>
  ['plain', 'kafka', 'redis'].flatMap((file) =>
    NAMES.filter((name) => name !== basename(from)).flatMap((name) =>
      [`@curfew/${name}`, `@curfew/${name}/start`].map((specifier) => ({
        from,
        name,
        path: plantedImport(from, file, specifier),
      })),
    ),
  ),
);
const ofClients = PACKAGES.flatMap((from) =>
  ['plain', 'kafka', 'redis'].flatMap((file) =>
    CLIENTS.map((client) => ({ file, path: plantedImport(from, file, client) })),
  ),
);
const ofFiles = PACKAGES.flatMap((from) =>
  ['plain', 'kafka'].map((file) => plantedImport(from, file, '../../http/src/app.ts')),
);
const cycle = [
  plant('libs/sidecar/src/one.ts', "import { two } from './two.ts';\nexport const one = () => two;\n"),
  plant('libs/sidecar/src/two.ts', "import { one } from './one.ts';\nexport const two = () => one;\n"),
];
const within = plant(
  'libs/sidecar/src/adapters/three.ts',
  "import '../four.ts';\nimport './five.ts';\nimport 'node:fs';\n",
);

beforeAll(() => {
  copyFileSync('biome.json', join(root, 'biome.json'));
  copyFileSync('.gitignore', join(root, '.gitignore'));
  const biome = join(process.cwd(), 'node_modules/.bin/biome');
  const { stdout } = spawnSync(biome, ['lint', '--reporter=json', '--max-diagnostics=none', '.'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const report: { diagnostics: { category: string; location: { path: string } }[] } = JSON.parse(stdout);
  for (const { category, location } of report.diagnostics) {
    const rules = broken.get(location.path) ?? new Set();
    broken.set(location.path, rules.add(basename(category)));
  }
});

afterAll(() => rmSync(root, { recursive: true }));

const isRefused = (path: string): boolean => broken.get(path)?.has('noRestrictedImports') ?? false;

describe('the lint', () => {
  test('knows every library', () => {
    const libs = readdirSync('libs').map((name) => `libs/${name}`);
    expect(PACKAGES.filter((path) => path.startsWith('libs/')).sort()).toEqual(libs.sort());
  });

  test.each(Object.entries(MAY_IMPORT))(
    'lets %s import of ours only %j, whatever its files are called',
    (from, allowed) => {
      const accepted = ofOurs.filter((one) => one.from === from && !isRefused(one.path)).map(({ name }) => name);
      expect([...new Set(accepted)].sort()).toEqual([...allowed]);
      const legal = ofOurs.filter((one) => one.from === from && allowed.includes(one.name));
      expect(legal.filter(({ path }) => broken.has(path))).toEqual([]);
    },
  );

  test('keeps the clients of Kafka and Redis in files called kafka-* and redis-*', () => {
    expect(ofClients.filter(({ path }) => isRefused(path))).toEqual(ofClients.filter(({ file }) => file === 'plain'));
  });

  test("refuses an import of another package's files by their path", () => {
    expect(ofFiles.filter((path) => !isRefused(path))).toEqual([]);
  });

  test('refuses a cycle, at both of its ends', () => {
    expect(cycle.map((path) => [...(broken.get(path) ?? [])])).toEqual([['noImportCycles'], ['noImportCycles']]);
  });

  test('lets a package import its own files, and those of Node', () => {
    expect(broken.has(within)).toBe(false);
  });
});
