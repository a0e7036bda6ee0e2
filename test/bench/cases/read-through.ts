import { type AccessTokenClaims, positionKey } from '@curfew/contracts';
import { type SessionVersions, sessionVersions } from '@curfew/replica';
import { createRedis, readVersions } from '@curfew/store';
import { Circuit } from '../../../libs/sidecar/src/circuit.ts';
import { createClock } from '../../../libs/sidecar/src/clock.ts';
import { ReadThrough } from '../../../libs/sidecar/src/read-through.ts';
import { within } from '../../../libs/sidecar/src/time-limit.ts';
import { report } from '../report.ts';

/** One decision by Redis after the other, as the sidecar makes it where memory proves nothing: ticks, versions, tombstone. */

const PARTITIONS = 12;
const WARM_UP = 5000;
const CALLS = 20_000;
/** A day: the ticks below are as old as the run is long. */
const MAX_VIEW_AGE_MS = 86_400_000;

const url = process.env['CURFEW_REDIS_URL'] ?? '';
const redis = createRedis(url);
await redis.start(() => {});
const positions = Array.from({ length: PARTITIONS }, (_, partition) => positionKey(partition));
for (const position of positions) await redis.client.hset(position, 'tick', Date.now());
const { now } = createClock();
const reads = new ReadThrough({
  read: (session) => within(50, readVersions(redis.client, session, PARTITIONS)),
  canRead: () => true,
  circuit: new Circuit(now),
  skewMs: () => 250,
  noteTick: () => {},
  onRead: () => {},
  now,
});

const sessionOf = (i: number): SessionVersions => {
  const sub = `subject-${i}`;
  return sessionVersions({ sub, sid: sub, ver: { s: 0, t: 0, r: 0, at: 0 } } as AccessTokenClaims);
};

async function read(session: SessionVersions): Promise<number> {
  const from = process.hrtime.bigint();
  const verdict = await reads.check(session, MAX_VIEW_AGE_MS);
  const took = Number(process.hrtime.bigint() - from);
  if (verdict !== 'active') throw new Error(`a session was ${verdict}`);
  return took;
}

for (let i = 0; i < WARM_UP; i++) await read(sessionOf(i));
const samples: number[] = [];
for (let i = 0; i < CALLS; i++) samples.push(await read(sessionOf(i)));
for (const position of positions) await redis.client.del(position);
await redis.close();
report(samples);
