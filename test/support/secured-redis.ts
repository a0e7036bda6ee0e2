import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { RedisSecurity } from '@curfew/contracts';
import { inRoot } from '../../infra/local/paths.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { startServer } from '../../infra/local/redis.mjs';
import { authority, type Pair, signedBy } from './certificates.ts';

/** The users of infra/redis/users.acl who have a password. */
export const REDIS_USERS = ['session-service', 'sidecar', 'sidecar-cookies', 'operator'] as const;
export type RedisUser = (typeof REDIS_USERS)[number];

/** It has what a URL has to encode. */
export const redisPasswordOf = (user: string): string => `redis-password/of:${user}@100%`;

/** How `createRedis` is called, and what the options of a sidecar are made of. */
export interface RedisAddress {
  readonly url: string;
  readonly security: RedisSecurity;
}

/** A Redis that takes nobody without a password, and lets each do only what infra/redis/users.acl says; with TLS alone. */
export interface SecuredRedis {
  readonly ca: Pair;
  as(user: RedisUser, security?: RedisSecurity): RedisAddress;
  /** Where a certificate of the client's is asked for too. */
  withCertificate(pair: Partial<Pair>, user?: RedisUser): RedisAddress;
  /** As a sidecar, at a server whose certificate has expired, or is for another address. */
  readonly expired: RedisAddress;
  readonly misnamed: RedisAddress;
  stop(): Promise<void>;
}

/** A file with the users and their passwords, as a server takes it. */
function usersFile(directory: string): string {
  const passwords = `${directory}/passwords`;
  mkdirSync(passwords, { recursive: true });
  for (const user of REDIS_USERS) writeFileSync(`${passwords}/redis-${user}`, `${redisPasswordOf(user)}\n`);
  const users = `${directory}/users.acl`;
  writeFileSync(users, execFileSync('sh', [inRoot('infra/redis/users.sh'), passwords]));
  return users;
}

/** The users who have a password, each with its rules, as `ACL SETUSER` takes them. */
export function redisUsers(directory: string): [string, ...string[]][] {
  const lines = readFileSync(usersFile(directory), 'utf8')
    .split('\n')
    .filter((line) => line.includes(' #'));
  return lines.map((line) => (line.match(/\([^)]*\)|\S+/g) ?? []).slice(1) as [string, ...string[]]);
}

export async function startSecuredRedis(directory: string): Promise<SecuredRedis> {
  const ports = await freePorts(8);
  const ca = await authority();
  const [good, old, other] = await Promise.all([
    signedBy(ca, 'localhost'),
    signedBy(ca, 'localhost', -1),
    signedBy(ca, 'elsewhere', 1, '127.0.0.9'),
  ]);
  const users = usersFile(directory);
  const file = (name: string, text: string) => {
    writeFileSync(`${directory}/${name}.pem`, text);
    return `${directory}/${name}.pem`;
  };
  const caFile = file('authority', ca.cert);
  const server = (i: number, name: string, { cert, key }: Pair, clients: string) => {
    const working = `${directory}/${name}`;
    mkdirSync(working);
    const tls = ['--tls-cert-file', file(`${name}.crt`, cert), '--tls-key-file', file(`${name}.key`, key)];
    // A script that takes longer is one that somebody may end, ms.
    const scripts = ['--busy-reply-threshold', '200'];
    const args = ['--aclfile', users, '--tls-port', `${ports[2 * i + 1]}`, ...tls, ...scripts];
    return startServer({
      name,
      port: ports[2 * i] ?? 0,
      working,
      args: [...args, '--tls-ca-cert-file', caFile, '--tls-auth-clients', clients],
      ready: ['PING', 'NOAUTH'],
      signal: undefined,
    });
  };
  const servers = await Promise.all([
    server(0, 'redis', good, 'no'),
    server(1, 'redis-mtls', good, 'yes'),
    server(2, 'redis-expired', old, 'no'),
    server(3, 'redis-misnamed', other, 'no'),
  ]);
  const tls = { ca: ca.cert };
  const as = (i: number, user: RedisUser, security: RedisSecurity = {}) => ({
    url: `rediss://${user}@127.0.0.1:${ports[2 * i + 1]}`,
    security: { tls, password: redisPasswordOf(user), ...security },
  });
  return {
    ca,
    as: (user, security) => as(0, user, security),
    withCertificate: (pair, user = 'sidecar') => as(1, user, { tls: { ...tls, ...pair } }),
    expired: as(2, 'sidecar'),
    misnamed: as(3, 'sidecar'),
    stop: async () => void (await Promise.all(servers.map((one) => one.stop()))),
  };
}
