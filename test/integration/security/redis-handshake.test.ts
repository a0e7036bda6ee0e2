import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRedis } from '@curfew/store';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { freePorts } from '../../../infra/local/ports.mjs';
import { type RunningRedis, startServer } from '../../../infra/local/redis.mjs';
import { authority, type Pair, signedBy } from '../../support/certificates.ts';
import { type LateAnswers, lateAnswersOf } from '../../support/late-answers.ts';

const directory = mkdtempSync(join(tmpdir(), 'curfew-redis-handshake-'));
const servers: RunningRedis[] = [];
let ca: Pair;
let answers: LateAnswers;

async function start(name: string, { cert, key }: Pair, ...args: string[]) {
  const [port = 0, tlsPort = 0] = await freePorts(2);
  const working = join(directory, name);
  mkdirSync(working);
  const file = (kind: string, text: string) => {
    writeFileSync(`${working}.${kind}`, text);
    return `${working}.${kind}`;
  };
  const files = ['--tls-ca-cert-file', file('ca', ca.cert), '--tls-cert-file', file('crt', cert)];
  const tls = ['--tls-port', `${tlsPort}`, '--tls-auth-clients', 'no', ...files, '--tls-key-file', file('key', key)];
  const ready = ['PING', 'PONG'] as const;
  servers.push(await startServer({ name, port, working, args: [...tls, ...args], ready, signal: undefined }));
  return { port, tlsPort };
}

let refused: number;
beforeAll(async () => {
  ca = await authority();
  refused = (await start('expired', await signedBy(ca, 'localhost', -1))).tlsPort;
});
const uncaught = vi.fn();
process.on('uncaughtException', uncaught);
afterEach(() => {
  answers.stop();
  uncaught.mockClear();
});
afterAll(async () => {
  process.off('uncaughtException', uncaught);
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(directory, { recursive: true });
});

/** A cluster whose one server, which is taken, says that all is at another port. */
async function clusterOf(port: number): Promise<string> {
  const [busPort] = await freePorts(1);
  const asCluster = ['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`];
  const cluster = await start('cluster', await signedBy(ca, 'localhost'), ...asCluster);
  const admin = new Redis(cluster.port);
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await admin.config('SET', 'cluster-announce-ip', '127.0.0.1');
  // From 7.2 on, who comes by TLS is told the port of TLS.
  for (const which of ['port', 'tls-port']) await admin.config('SET', `cluster-announce-${which}`, port);
  await admin.quit();
  return `rediss://127.0.0.1:${cluster.tlsPort},rediss://127.0.0.1:${cluster.tlsPort}`;
}

test.each<[string, (port: number) => Promise<string> | string]>([
  ['a server', (port) => `rediss://127.0.0.1:${port}`],
  ['a server that a cluster names', clusterOf],
])('a client that is closed during a handshake with %s, which it will refuse, ends no process', async (_, urlOf) => {
  answers = await lateAnswersOf(refused);
  const redis = createRedis(await urlOf(answers.port), { tls: { ca: ca.cert } });
  const started = redis.start(() => {});
  await answers.held;
  await redis.close();
  await Promise.all([answers.left, started]);
  expect(uncaught).not.toHaveBeenCalled();
});
