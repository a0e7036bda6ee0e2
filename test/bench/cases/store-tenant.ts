import { randomUUID } from 'node:crypto';
import { type AccessTokenClaims, partitionOf, tenantScope, versionKey } from '@curfew/contracts';
import { createPublisher } from '@curfew/publisher';
import { type SessionVersions, sessionVersions, type Verdict } from '@curfew/replica';
import { Redis } from 'ioredis';
import { followVersions } from '../follow-versions.ts';
import { sessionCount } from '../reference-session.ts';
import { report } from '../report.ts';

/**
 * One account event ends every session of a tenant: from the bus's acknowledgement until a sidecar's replica has rejected
 * the first of them, and all of them; and what the stores were sent for it. Each value is the time to the last rejection.
 */

const SESSIONS = sessionCount(50_000);
const ROUNDS = 20;
const MAX_VIEW_AGE_MS = 2000;

const brokers = (process.env['CURFEW_KAFKA_BROKERS'] ?? '').split(',');
const publisher = createPublisher({ brokers, issuer: 'https://id.example.com' });
await publisher.start();
const redis = new Redis(process.env['CURFEW_REDIS_URL'] ?? '');
const monitor = await redis.monitor();

let tenant = '';
let sessions: readonly SessionVersions[] = [];
/** What was sent for the tenant: calls of a script, other commands, and records of session-versions. */
let sent = { scripts: 0, commands: 0, records: 0 };
monitor.on('monitor', (_time: string, [command = '', ...args]: string[], source: string) => {
  if (source === 'lua' || !args.some((arg) => arg.includes(tenant))) return;
  if (command.toLowerCase() === 'evalsha') sent.scripts++;
  else sent.commands++;
});
let rejected = Promise.withResolvers<number>();
const versions = await followVersions(brokers, (replica, { scope }) => {
  if (scope !== tenantScope(tenant)) return;
  sent.records++;
  const [one] = sessions;
  if (one !== undefined && replica.check(one, MAX_VIEW_AGE_MS) === 'revoked') rejected.resolve(performance.now());
});

function signIn(i: number): SessionVersions {
  const claims = { sub: `user-${i}`, sid: `${tenant}-${i}`, ten: tenant, ver: { s: 0, t: 0, r: 0, at: Date.now() } };
  return sessionVersions(claims as AccessTokenClaims);
}

const rounds: (typeof sent & { firstMs: number; allMs: number })[] = [];
for (let round = 0; round <= ROUNDS; round++) {
  tenant = randomUUID();
  sessions = Array.from({ length: SESSIONS }, (_, i) => signIn(i));
  assertAll('active');
  sent = { scripts: 0, commands: 0, records: 0 };
  rejected = Promise.withResolvers();
  const published = publisher.sessionRevoked({ tenant }).then(() => performance.now());
  const [acknowledged, first] = await Promise.all([published, rejected.promise]);
  const from = performance.now();
  assertAll('revoked');
  const firstMs = Math.max(0, first - acknowledged);
  // The first round warms up.
  if (round > 0) rounds.push({ ...sent, firstMs, allMs: firstMs + performance.now() - from });
}

function assertAll(verdict: Verdict): void {
  if (!sessions.every((session) => versions.replica.check(session, MAX_VIEW_AGE_MS) === verdict))
    throw new Error(`a session of the tenant was not ${verdict}`);
}

const key = versionKey(partitionOf(tenant, 12), tenantScope(tenant));
const versionBytes = (await redis.memory('USAGE', key)) ?? 0;
monitor.disconnect();
redis.disconnect();
await Promise.all([versions.close(), publisher.close()]);
type Round = (typeof rounds)[number];
const middle = (of: (round: Round) => number) => rounds.map(of).sort((a, b) => a - b)[ROUNDS / 2] ?? Number.NaN;
const most = (of: (round: Round) => number) => Math.max(...rounds.map(of));
report(
  rounds.map(({ allMs }) => allMs * 1e6),
  {
    sessions: SESSIONS,
    firstRejectedMs: middle(({ firstMs }) => firstMs),
    allRejectedMs: middle(({ allMs }) => allMs),
    mostScripts: most(({ scripts }) => scripts),
    mostOtherCommands: most(({ commands }) => commands),
    mostRecords: most(({ records }) => records),
    versionBytes,
  },
);
