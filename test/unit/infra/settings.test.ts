import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ERRORS, SECURITY_VARIABLES } from '@curfew/contracts';
import { readClients } from '@curfew/http';
import type { TObject } from 'typebox';
import { expect, test } from 'vitest';
import { inRoot } from '../../../infra/local/paths.mjs';
import { readSettings, VARIABLES } from '../../../libs/cli/src/settings.ts';
import { MIN_SECRET_LENGTH } from '../../../libs/http/src/callers/client-secret.ts';
import { ClientEntry } from '../../../libs/http/src/callers/clients.ts';
import { ENVIRONMENT as CONSOLE } from '../../../services/console/src/config.ts';
import { ENVIRONMENT as PUBLISHER } from '../../../services/identity-publisher/src/config.ts';
import { ENVIRONMENT as SESSION } from '../../../services/session-service/src/config.ts';
import { ENVIRONMENT as SAMPLE } from '../../../services/storefront/src/config.ts';
import { authority } from '../../support/certificates.ts';

const PARTS: Readonly<Record<string, TObject>> = {
  session: SESSION,
  publisher: PUBLISHER,
  console: CONSOLE,
  sample: SAMPLE,
};

const page = readFileSync(inRoot('docs/settings.md'), 'utf8');

/** The rows of the table with this column for its first, by what stands first in them. */
function rowsOf(column: string): Map<string, string[]> {
  const [, table = ''] = page.split(new RegExp(`^\\| ${column} .*\n\\|[- |]*\n`, 'm'));
  const rows = /^(?:\|.*\n)*/.exec(table)?.[0].trim().split('\n') ?? [];
  return new Map(
    rows.map((row) => {
      const [name = '', ...cells] = row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return [name.replaceAll('`', ''), cells];
    }),
  );
}
const variables = rowsOf('variable');
const codesIn = (text: string) => [...text.matchAll(/`([a-z]+(?:_[a-z]+)*)`/g)].map(([, code = '']) => code);

test('docs/settings.md has each variable that the code reads and docs/managed.md has not, and no other', () => {
  const sources = ['libs', 'services']
    .flatMap((folder) => readdirSync(inRoot(folder), { recursive: true }).map((file) => inRoot(folder, `${file}`)))
    .filter((file) => /\/src\/.*\.(ts|mjs)$/.test(file))
    .map((file) => readFileSync(file, 'utf8'));
  const security = `${SECURITY_VARIABLES}`.match(/CURFEW_\w+/g) ?? [];
  const read = new Set(sources.flatMap((source) => source.match(/\bCURFEW_[A-Z_]*[A-Z]\b/g) ?? []));
  // Of this the code has the beginning of three names alone.
  read.delete('CURFEW_REDIS_TLS');
  expect(new Set([...variables.keys(), ...security])).toEqual(new Set([...read, 'HOST', 'PORT']));
});

test('docs/settings.md says of each variable which part reads it', () => {
  const command = new Set<string>(VARIABLES.map(([name]) => name));
  for (const [name, [readBy]] of variables) {
    const parts = Object.keys(PARTS).filter((part) => name in (PARTS[part]?.properties ?? {}));
    if (command.has(name)) parts.push('command');
    expect([name, readBy]).toEqual([name, parts.join(', ') || 'every service']);
  }
});

test('docs/settings.md says of each variable whether it is needed, and its default', () => {
  const { sessionServiceUrl, kafka, redis } = readSettings({});
  const ofCommand: Readonly<Record<string, string>> = {
    CURFEW_SESSION_SERVICE_URL: sessionServiceUrl,
    CURFEW_KAFKA_BROKERS: `${kafka.brokers}`,
    CURFEW_REDIS_URL: redis.url,
  };
  for (const [name, [, said = '']] of variables) {
    const defaults = Object.values(PARTS).flatMap(({ properties, required }) => {
      const schema = properties[name] as { default?: unknown } | undefined;
      if (schema === undefined) return [];
      if (schema.default !== undefined) return schema.default === '' ? [] : [`\`${schema.default}\``];
      return required.includes(name) ? ['needed'] : [];
    });
    const all = new Set([...defaults, ...(name in ofCommand ? [`\`${ofCommand[name]}\``] : [])]);
    // That of these two depends on another variable.
    const isMade = ['CURFEW_ASSERTION_AUDIENCE', 'CURFEW_CONSOLE_ORIGIN'].includes(name);
    expect([name, said]).toEqual([name, isMade ? expect.stringMatching(/^`/) : [...all].join(', ') || 'none']);
  }
});

test('docs/settings.md has a list of clients that is taken, and each member of a client', () => {
  const [, example = ''] = /```json\n(.*?)```/s.exec(page) ?? [];
  expect([...readClients(example).byId.keys()]).toEqual(['login']);
  expect(new Set(rowsOf('member').keys())).toEqual(new Set(Object.keys(ClientEntry.properties)));
  expect(page).toContain(`has at least ${MIN_SECRET_LENGTH} characters`);
});

test('what docs/settings.md says to type makes a secret and hashes as clients have them', async () => {
  const [, secrets = '', certificates = ''] = page.split('```sh\n').map((block) => block.split('```')[0] ?? '');
  const folder = mkdtempSync(join(tmpdir(), 'curfew-settings-'));
  try {
    writeFileSync(join(folder, 'client.crt'), (await authority()).cert);
    const type = (command: string) => execFileSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8' }).trim();
    const [secret = '', secretSha256] = type(secrets).split(' ');
    expect(secret.length).toBeGreaterThanOrEqual(MIN_SECRET_LENGTH);
    expect(createHash('sha256').update(secret).digest('base64url')).toBe(secretSha256);
    const client = { id: 'login', scopes: ['sessions:read'], secretSha256, certSha256: type(certificates) };
    expect(readClients(JSON.stringify([client])).byId.size).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('docs/settings.md says of each error its status and what it means, and has no other', () => {
  const errors = Object.entries(ERRORS).map(([code, { status, title }]) => [code, [`${status}`, title]]);
  expect([...rowsOf('code')]).toEqual(errors);
});

test('docs/settings.md says of each error which call it may answer', () => {
  const [, text = ''] = page.split('## Errors');
  const [calls = ''] = text.split('What each means');
  const named = codesIn(calls).filter((code) => code !== 'code' && code !== 'reason');
  expect(new Set(named)).toEqual(new Set(Object.keys(ERRORS)));
});
