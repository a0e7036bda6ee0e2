import { fork } from 'node:child_process';
import { once } from 'node:events';
import { load } from '../load.ts';
import { sessionCount } from '../reference-session.ts';
import { report } from '../report.ts';
import { signIns } from '../sign-ins.ts';
import { startWatchers } from '../watched.ts';

/** Requests to the sample service, `watched` or `unwatched`: how many a second, and how long each. */

const SESSIONS = sessionCount(1000);
const REQUESTS = SESSIONS * 400;
const WARM_UP = SESSIONS * 50;
const CONNECTIONS = 50;

const manner = process.argv[2] ?? '';
const watchers = await startWatchers();
const server = fork(new URL('../servers/storefront.ts', import.meta.url), [manner], {
  env: { ...process.env, ...(manner === 'watched' ? watchers.environment : {}) },
});
const [port] = await once(server, 'message');
const url = `http://127.0.0.1:${port}`;
if (manner === 'watched') watchers.scrape(`${url}/metrics`);

async function cpuMicroseconds(): Promise<number> {
  server.send('cpu');
  const [microseconds] = await once(server, 'message');
  return microseconds;
}

const requests = (await signIns('curfew-bearer', SESSIONS, url)).map((headers) => ({ headers }));
await load(`${url}/orders`, requests, CONNECTIONS, WARM_UP);
const cpuFrom = await cpuMicroseconds();
const { tookNs, perSecond } = await load(`${url}/orders`, requests, CONNECTIONS, REQUESTS);
const cpu = (await cpuMicroseconds()) - cpuFrom;
const seen = watchers.seen();

server.disconnect();
await once(server, 'exit');
watchers.close();
const isSeen = Object.values(seen).every((count) => count > 0);
if (isSeen !== (manner === 'watched')) throw new Error(`${manner}, and yet ${JSON.stringify(seen)}`);
report(tookNs, { requestsPerSecond: perSecond, serverCpuMicrosecondsPerRequest: cpu / REQUESTS, ...seen });
