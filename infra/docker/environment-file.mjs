import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { credentialOf, localClients } from '../local/clients.mjs';
import { refreshKeys, signingKey } from '../local/keys.mjs';
import { inRoot } from '../local/paths.mjs';

const FILE = inRoot('.env');

/** The users of infra/redis/users.acl that have a password. */
const REDIS_USERS = ['session-service', 'sidecar', 'sidecar-cookies', 'operator'];

/**
 * Writes what docker-compose.yml takes from its environment, and no file of the repository may have, to `.env`: the
 * secrets of a stack on this machine, and the images that take the place of public ones. A name that is there keeps its
 * value; no other line is touched.
 *
 * @param {typeof import('./stand-ins.mjs').STAND_INS | undefined} standIns
 * @param {string} [file]
 */
export function writeEnvironmentFile(standIns, file = FILE) {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const there = new Set([...before.matchAll(/^(\w+)=/gm)].map(([, name]) => name));
  const missing = Object.entries(settings(standIns)).filter(([name]) => !there.has(name));
  const separator = before === '' || before.endsWith('\n') ? '' : '\n';
  // In single quotes Compose takes every character as it is.
  const lines = missing.map(([name, value]) => `${name}='${value}'\n`).join('');
  if (missing.length > 0) writeFileSync(file, `${before}${separator}${lines}`, { mode: 0o600 });
  // `mode` counts for a new file alone.
  chmodSync(file, 0o600);
}

/** @param {typeof import('./stand-ins.mjs').STAND_INS | undefined} standIns */
function settings(standIns) {
  const passwords = REDIS_USERS.map((user) => [
    `CURFEW_REDIS_PASSWORD_${user.toUpperCase().replaceAll('-', '_')}`,
    randomBytes(24).toString('base64url'),
  ]);
  return {
    CURFEW_SIGNING_KEY: signingKey(),
    CURFEW_REFRESH_KEYS: refreshKeys(),
    CURFEW_CLIENTS: localClients(),
    CURFEW_CONSOLE_CREDENTIAL: credentialOf('console'),
    ...Object.fromEntries(passwords),
    ...(standIns === undefined ? {} : { CURFEW_KAFKA_IMAGE: standIns.kafka, CURFEW_REDIS_IMAGE: standIns.redis }),
  };
}

// By itself, in a container: docs/containers.md, Docker alone.
if (import.meta.main) writeEnvironmentFile(undefined);
