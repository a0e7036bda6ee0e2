import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AppliedEvent,
  DEFAULT_PARTITIONS,
  encodeReceipt,
  partitionOf,
  type ReceiptState,
  TOPICS,
} from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import { call } from '../../support/client.ts';
import { followVersions } from '../follow-versions.ts';
import { report } from '../report.ts';

/**
 * What so many sidecars cost the session service's process: each says once a second how far it is, and at once what it has
 * applied, a canary every 5 s. Its processor time is the kernel's own account (Linux).
 */

const WARM_UP_MS = 5000;
const MEASURED_MS = 30_000;
const CLOCK_TICKS_PER_SECOND = 100;

const { CURFEW_KAFKA_BROKERS = '', CURFEW_ISSUER = '', CURFEW_BENCH_PID = '' } = process.env;
const count = Number(process.argv[2]);
const brokers = CURFEW_KAFKA_BROKERS.split(',');
const producer = createKafka({ brokers, clientId: 'bench-receipts' }).producer({ allowAutoTopicCreation: false });
await producer.connect();

const startedAt = Date.now();
const offsets = new Array<number>(DEFAULT_PARTITIONS).fill(-1);
let receipts = 0;
let failed = 0;

/** Each receipt is a request of its own, as the sidecars are processes of their own. */
async function say(sidecar: number, applied: readonly AppliedEvent[] = [], state: ReceiptState = 'live') {
  const at = Date.now();
  const { key, value } = encodeReceipt({
    service: `service-${sidecar % 20}`,
    instance: `host-${sidecar}-4711-ab12`,
    state,
    at,
    startedAt,
    boundMs: 2000,
    partitions: offsets.map((offset) => ({ offset, tick: at - 300, ageMs: 550 })),
    applied,
  });
  receipts++;
  await producer.send({ topic: TOPICS.receipts, acks: 1, messages: [{ key, value }] }).catch(() => failed++);
}

const versions = await followVersions(brokers, (_replica, { scope, id, offset, at }) => {
  const partition = partitionOf(scope.slice(2), DEFAULT_PARTITIONS);
  offsets[partition] = offset;
  if (at < startedAt) return;
  for (let i = 0; i < count; i++) void say(i, [{ id, partition, offset, at: Date.now(), since: at, exposed: 0 }]);
});
let next = 0;
/** A timer that is late is made up for. */
const timer = setInterval(() => {
  while (next < ((Date.now() - startedAt) * count) / 1000) void say(next++ % count);
}, 5);

/** Processor seconds of the session service so far. */
async function cpuSeconds(): Promise<number> {
  const stat = await readFile(`/proc/${CURFEW_BENCH_PID}/stat`, 'utf8');
  const [user = 0, system = 0] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
  return (user + system) / CLOCK_TICKS_PER_SECOND;
}

await sleep(WARM_UP_MS);
receipts = 0;
const [began, before] = [performance.now(), await cpuSeconds()];
await sleep(MEASURED_MS);
const seconds = (performance.now() - began) / 1000;
const cpu = (await cpuSeconds()) - before;
const perSecond = receipts / seconds;

const list = async (path: string) => (await call('GET', `${CURFEW_ISSUER}${path}`, { as: 'admin' })).body;
const { sidecars } = (await list('/v1/sidecars')) as { sidecars: { state: string; startedAt: string }[] };
const mine = sidecars.filter((one) => one.state === 'live' && Date.parse(one.startedAt) === startedAt);
const { revocations } = (await list('/v1/revocations?canaries=true&limit=2')) as { revocations: { summary: string }[] };
clearInterval(timer);
// The next run is not to wait for these.
await Promise.all(Array.from({ length: count }, (_, i) => say(i, [], 'closed')));
await Promise.all([versions.close(), producer.disconnect()]);
if (mine.length !== count || failed > 0)
  throw new Error(`${mine.length} sidecars of ${count}, ${failed} receipts failed`);
if (count > 0 && !revocations.some(({ summary }) => summary.startsWith(`${count} of `)))
  throw new Error(`revocations are ${revocations.map(({ summary }) => summary)}`);
report([], { cpuPercentOfACore: (100 * cpu) / seconds, receiptsPerSecond: perSecond });
