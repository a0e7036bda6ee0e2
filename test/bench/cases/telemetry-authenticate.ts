import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { createSidecar } from '@curfew/sidecar';
import { startTelemetry } from '@curfew/telemetry/start';
import { sessionCount } from '../reference-session.ts';
import { report } from '../report.ts';
import { signIns } from '../sign-ins.ts';
import { startWatchers } from '../watched.ts';

/**
 * `authenticate` of a whole sidecar, for tokens that it has verified before, `watched` or `unwatched`: each call, and all
 * that the process did meanwhile, such as receipts and scrapes, per call.
 */

const SESSIONS = sessionCount(1000);
const BATCH = 256;
const WARM_UP_MS = 2000;
const MEASURED_MS = 12_000;

const { CURFEW_KAFKA_BROKERS = '', CURFEW_REDIS_URL = '', CURFEW_ISSUER = '', CURFEW_AUDIENCE = '' } = process.env;
const manner = process.argv[2] ?? '';
const watchers = await startWatchers();
if (manner === 'watched') Object.assign(process.env, watchers.environment);
const telemetry = manner === 'watched' ? startTelemetry('bench') : undefined;
const metrics = createServer((request, response) => telemetry?.serveMetrics(request, response));
await new Promise<void>((resolve) => metrics.listen(0, '127.0.0.1', resolve));
if (telemetry) watchers.scrapeAlways(`http://127.0.0.1:${(metrics.address() as AddressInfo).port}/metrics`);
const sidecar = createSidecar({
  brokers: CURFEW_KAFKA_BROKERS.split(','),
  redisUrl: CURFEW_REDIS_URL,
  issuer: CURFEW_ISSUER,
  audience: CURFEW_AUDIENCE,
  service: 'bench',
  receipts: telemetry !== undefined,
});
await sidecar.start();
const tokens = (await signIns('curfew-bearer', SESSIONS, '')).map(({ authorization = '' }) => authorization.slice(7));
for (const token of tokens) await sidecar.authenticate(token);

let next = 0;
/** Each request brings its token as a string of its own, whose hash nobody has computed yet. */
const fromTheWire = (): string => Buffer.from(tokens[next++ % SESSIONS] ?? '').toString('latin1');

function batch(): number {
  const arrived = Array.from({ length: BATCH }, fromTheWire);
  let accepted = 0;
  const from = process.hrtime.bigint();
  for (const token of arrived) {
    const answer = sidecar.authenticate(token);
    if ('ok' in answer && answer.ok) accepted++;
  }
  const took = Number(process.hrtime.bigint() - from) / BATCH;
  if (accepted < BATCH) throw new Error('a token was not accepted from the cache');
  return took;
}

async function batches(ms: number): Promise<number[]> {
  const until = performance.now() + ms;
  const took: number[] = [];
  for (; performance.now() < until; await turn()) took.push(batch());
  return took;
}

await batches(WARM_UP_MS);
const cpuFrom = process.cpuUsage();
const took = await batches(MEASURED_MS);
const { user, system } = process.cpuUsage(cpuFrom);
const { scrapes, receipts } = watchers.seen();
await Promise.all([sidecar.close(), telemetry?.shutdown()]);
metrics.closeAllConnections();
metrics.close();
watchers.close();
if ((scrapes > 0 && receipts > 0) !== (manner === 'watched')) throw new Error(`${manner}, and yet ${scrapes} scrapes`);
report(took, { cpuNsPerCall: ((user + system) * 1000) / (took.length * BATCH), scrapes, receipts });
