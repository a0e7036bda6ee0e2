import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { load } from '../load.ts';
import { sessionCount } from '../reference-session.ts';
import { report } from '../report.ts';
import { signIns } from '../sign-ins.ts';
import { SCRAPE_INTERVAL_MS, startWatchers } from '../watched.ts';

/**
 * Requests to the sample service: how many a second. Two processes, one of them watched, take turns of about
 * `SCRAPE_INTERVAL_MS`, with one scrape in each of the watched one's.
 */

const SESSIONS = sessionCount(1000);
const BURST = SESSIONS * 300;
const WARM_UP = SESSIONS * 50;
const TURNS = 6;
const CONNECTIONS = 50;
const TRACED = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
/** As many spans are sent at a time: the SDK's default. */
const BATCH = 512;
const SHARE = 0.01;

const watchers = await startWatchers();
const users = await signIns('curfew-bearer', SESSIONS, '');
const unwatched = await start('unwatched');
const watched = await start('watched', watchers.environment);

const before = watchers.seen();
for (let turn = 0; turn < TURNS; turn++) {
  if (turn % 2 === 0) await burst(unwatched);
  const scraped = sleep(SCRAPE_INTERVAL_MS / 2).then(() => watchers.scrape(`${watched.url}/metrics`));
  await Promise.all([burst(watched), scraped]);
  if (turn % 2 === 1) await burst(unwatched);
}
const { exports, receipts } = watchers.seen();
const spans = (exports - before.exports) * BATCH;
for (const { child } of [unwatched, watched]) {
  child.disconnect();
  await once(child, 'exit');
}
watchers.close();
const expected = TURNS * BURST * SHARE;
if (receipts === 0 || Math.abs(spans - expected) > expected / 2 + BATCH)
  throw new Error(`watched, and yet ${receipts} receipts and about ${spans} spans, not ${expected}`);
report([], {
  unwatchedPerSecond: (TURNS * BURST) / unwatched.seconds,
  watchedPerSecond: (TURNS * BURST) / watched.seconds,
  watchedShare: unwatched.seconds / watched.seconds,
  unwatchedCpuMicroseconds: unwatched.cpuMicroseconds / (TURNS * BURST),
  watchedCpuMicroseconds: watched.cpuMicroseconds / (TURNS * BURST),
  spans,
  receipts,
});

/** A process, and what it took so far. */
interface Measured {
  readonly child: ChildProcess;
  readonly url: string;
  seconds: number;
  cpuMicroseconds: number;
}

/**
 * Starts the sample service and warms it up, at first with requests that are all traced: of one in a hundred, the code
 * that traces is compiled only after minutes, and what a busy service pays from then on is asked here.
 */
async function start(manner: string, environment: NodeJS.ProcessEnv = {}): Promise<Measured> {
  const child = fork(new URL('../servers/storefront.ts', import.meta.url), [manner], {
    env: { ...process.env, ...environment },
  });
  const [port] = await once(child, 'message');
  const url = `http://127.0.0.1:${port}`;
  for (const more of [TRACED, {}]) await load(`${url}/orders`, requests(more), CONNECTIONS, WARM_UP);
  return { child, url, seconds: 0, cpuMicroseconds: 0 };
}

async function burst(of: Measured): Promise<void> {
  const from = await cpuMicroseconds(of.child);
  const { perSecond } = await load(`${of.url}/orders`, requests(), CONNECTIONS, BURST);
  of.seconds += BURST / perSecond;
  of.cpuMicroseconds += (await cpuMicroseconds(of.child)) - from;
}

function requests(more: Readonly<Record<string, string>> = {}) {
  return users.map((headers) => ({ headers: { ...headers, ...more } }));
}

async function cpuMicroseconds(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [microseconds] = await once(child, 'message');
  return microseconds;
}
