import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { load } from '../load.ts';
import { sessionCount } from '../reference-session.ts';
import { report } from '../report.ts';
import { signIns } from '../sign-ins.ts';

/** Requests to one of `servers`, a process of its own: how many a second, how long each, and what they ask of Redis. */

const SESSIONS = sessionCount(1000);
const REQUESTS = SESSIONS * 100;
const WARM_UP = SESSIONS * 10;
const CONNECTIONS = 50;
/** How long Redis is watched while nobody asks for anything, ms: the session service has its ticks to store. */
const IDLE_MS = 3000;

/** How often the sidecar reads the record of a session in use, ms. */
const TOUCH_MS = 60_000;

const [, , kind = '', manner] = process.argv;
const redis = new Redis(process.env['CURFEW_REDIS_URL'] ?? '');
const server = fork(new URL(`../servers/${kind.split('-')[0] === 'curfew' ? 'curfew' : kind}.ts`, import.meta.url));
const [port] = await once(server, 'message');
const url = `http://127.0.0.1:${port}`;

/** Calls that Redis has answered, those from inside of scripts included, as `INFO commandstats` has them. */
async function commands(): Promise<number> {
  const stats = await redis.info('commandstats');
  const calls = [...stats.matchAll(/^cmdstat_(.+):calls=(\d+)/gm)];
  return calls.reduce((sum, [, name, count]) => sum + (name === 'info' ? 0 : Number(count)), 0);
}

async function cpuMicroseconds(): Promise<number> {
  server.send('cpu');
  const [microseconds] = await once(server, 'message');
  return microseconds;
}

const requests = (await signIns(kind, SESSIONS, url)).map((headers) => ({ headers }));
const [idleFrom, watchedFrom] = [await commands(), performance.now()];
await sleep(IDLE_MS);
const idlePerMs = ((await commands()) - idleFrom) / (performance.now() - watchedFrom);

if (manner === 'steady') await spread();
else await load(`${url}/me`, requests, CONNECTIONS, WARM_UP);

/** The first request of each session, as far apart as they come again to be read. */
async function spread(): Promise<void> {
  const from = performance.now();
  for (const [i, request] of requests.entries()) {
    await sleep(from + (i * TOUCH_MS) / SESSIONS - performance.now());
    await (await fetch(`${url}/me`, request)).text();
  }
}

const [commandsFrom, cpuFrom, from] = [await commands(), await cpuMicroseconds(), performance.now()];
const { tookNs, perSecond } = await load(`${url}/me`, requests, CONNECTIONS, REQUESTS);
const [cpu, all] = [(await cpuMicroseconds()) - cpuFrom, (await commands()) - commandsFrom];
const own = Math.max(0, all - idlePerMs * (performance.now() - from));

redis.disconnect();
server.disconnect();
await once(server, 'exit');
report(tookNs, {
  requestsPerSecond: perSecond,
  redisCommandsPerRequest: own / REQUESTS,
  redisCommandsOfAllPerRequest: all / REQUESTS,
  redisCommandsIdlePerSecond: idlePerMs * 1000,
  serverCpuMicrosecondsPerRequest: cpu / REQUESTS,
});
