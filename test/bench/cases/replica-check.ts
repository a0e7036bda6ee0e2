import { type AccessTokenClaims, subjectScope, type VersionRecord } from '@curfew/contracts';
import { Replica, type SessionVersions, sessionVersions } from '@curfew/replica';
import { createClock } from '../../../libs/sidecar/src/clock.ts';
import { report } from '../report.ts';

/** `Replica.check`, with the ages of its views by the sidecar's own clock, of sessions of random subjects, half of them among a million entries, half not. */

const ENTRIES = 1_000_000;
const PARTITIONS = 12;
/** A day: the ticks below are as old as the run is long. */
const MAX_VIEW_AGE_MS = 86_400_000;
const SESSIONS = 65_536;
const BATCH = 1024;
const WARM_UP_BATCHES = 2000;
const BATCHES = 5000;

const start = Date.now();
const clock = createClock();
const replica = new Replica({
  partitions: PARTITIONS,
  horizon: start - 900_000,
  maxEntries: ENTRIES,
  now: clock.elapsed,
  epoch: clock.epoch,
});
for (let i = 0; i < ENTRIES; i++) replica.apply(i % PARTITIONS, bumpOf(`subject-${i}`), start - 1000);
for (let partition = 0; partition < PARTITIONS; partition++)
  replica.apply(partition, { kind: 'tick', tick: start, offset: 0 }, start);

function bumpOf(subject: string): VersionRecord {
  const scope = subjectScope(subject);
  return {
    kind: 'version',
    scope,
    current: 1000,
    floor: 1000,
    at: 1000,
    why: 'caep/credential-change',
    id: 'x',
    offset: 1,
  };
}

const random = (below: number) => Math.floor(Math.random() * below);
const sessions = Array.from({ length: SESSIONS }, (_, i): SessionVersions => {
  const sub = i % 2 === 0 ? `subject-${random(ENTRIES)}` : `stranger-${random(ENTRIES)}`;
  const claims = { sub, sid: `sid-${i}`, ten: `tenant-${i % 100}`, ver: { s: 1000, t: 0, r: 0, at: start } };
  return sessionVersions(claims as AccessTokenClaims);
});

let next = 0;
let active = 0;
function batch(): number {
  const from = process.hrtime.bigint();
  for (let i = 0; i < BATCH; i++) {
    const session = sessions[next++ & (SESSIONS - 1)];
    if (session !== undefined && replica.check(session, MAX_VIEW_AGE_MS) === 'active') active++;
  }
  return Number(process.hrtime.bigint() - from) / BATCH;
}

for (let i = 0; i < WARM_UP_BATCHES; i++) batch();
const samples = new Float64Array(BATCHES);
for (let i = 0; i < BATCHES; i++) samples[i] = batch();

/** Heap bytes that a call leaves behind, over ten million calls between two collections that the engine may not make. */
const HEAP_CALLS = 10_000_000;
globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
for (let i = 0; i < HEAP_CALLS; i++) {
  const session = sessions[next++ & (SESSIONS - 1)];
  if (session !== undefined && replica.check(session, MAX_VIEW_AGE_MS) === 'active') active++;
}
const heapBytesPerCall = (process.memoryUsage().heapUsed - before) / HEAP_CALLS;

if (active !== (WARM_UP_BATCHES + BATCHES) * BATCH + HEAP_CALLS) throw new Error('a session was not active');
report(Array.from(samples), { entries: replica.size, heapBytesPerCall });
