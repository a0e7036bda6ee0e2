import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { load } from '../load.ts';
import { sessionCount } from '../reference-session.ts';
import { median, report } from '../report.ts';
import { signIns } from '../sign-ins.ts';
import { startWatchers } from '../watched.ts';

/** Requests to the sample service: how many a second. Two processes, one of them watched, take turns. */

const SESSIONS = sessionCount(1000);
const BURST = SESSIONS * 20;
const WARM_UP = SESSIONS * 50;
const TURNS = 30;
const CONNECTIONS = 50;
const TRACED = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

interface Burst {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
}

const watchers = await startWatchers();
const users = await signIns('curfew-bearer', SESSIONS, '');
const servers = { unwatched: await start('unwatched'), watched: await start('watched', watchers.environment) };
watchers.scrape(`${servers.watched.url}/metrics`);

const bursts: { readonly unwatched: Burst; readonly watched: Burst }[] = [];
for (let turn = 0; turn < TURNS; turn++) {
  const before = turn % 2 === 0 ? await burst(servers.unwatched) : undefined;
  const watched = await burst(servers.watched);
  bursts.push({ watched, unwatched: before ?? (await burst(servers.unwatched)) });
}
const seen = watchers.seen();
for (const { child } of Object.values(servers)) {
  child.disconnect();
  await once(child, 'exit');
}
watchers.close();
if (!Object.values(seen).every((count) => count > 0)) throw new Error(`watched, and yet ${JSON.stringify(seen)}`);
report([], {
  unwatchedPerSecond: median(bursts.map(({ unwatched }) => unwatched.perSecond)),
  watchedPerSecond: median(bursts.map(({ watched }) => watched.perSecond)),
  watchedShare: median(bursts.map(({ unwatched, watched }) => watched.perSecond / unwatched.perSecond)),
  unwatchedCpuMicroseconds: median(bursts.map(({ unwatched }) => unwatched.cpuMicroseconds)),
  watchedCpuMicroseconds: median(bursts.map(({ watched }) => watched.cpuMicroseconds)),
  ...seen,
});

/**
 * Starts the sample service and warms it up, at first with requests that are all traced: of one in a hundred, the code
 * that traces is compiled only after minutes, and what a request costs then is asked here.
 */
async function start(manner: string, environment: NodeJS.ProcessEnv = {}) {
  const child = fork(new URL('../servers/storefront.ts', import.meta.url), [manner], {
    env: { ...process.env, ...environment },
  });
  const [port] = await once(child, 'message');
  const url = `http://127.0.0.1:${port}`;
  for (const more of [TRACED, {}]) await load(`${url}/orders`, requests(more), CONNECTIONS, WARM_UP);
  return { child, url };
}

async function burst({ child, url }: { readonly child: ChildProcess; readonly url: string }): Promise<Burst> {
  const from = await cpuMicroseconds(child);
  const { perSecond } = await load(`${url}/orders`, requests(), CONNECTIONS, BURST);
  return { perSecond, cpuMicroseconds: ((await cpuMicroseconds(child)) - from) / BURST };
}

function requests(more: Readonly<Record<string, string>> = {}) {
  return users.map((headers) => ({ headers: { ...headers, ...more } }));
}

async function cpuMicroseconds(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [microseconds] = await once(child, 'message');
  return microseconds;
}
