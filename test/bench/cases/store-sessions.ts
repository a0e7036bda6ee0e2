import { encodeNewRecord, positionKey, recordBytes, sessionKey } from '@curfew/contracts';
import { empty, memoryOf, usedMemory } from '../redis-figures.ts';
import { referenceRecord, sessionCount } from '../reference-session.ts';
import { report } from '../report.ts';
import { PARTITIONS, sessionLoad } from '../session-load.ts';

/**
 * The store with 200,000 sessions of the reference record, one of each subject: what each takes of a Redis that holds
 * nothing else, and how many are made, read and refreshed a second: the script that exchanges the refresh token, and the
 * whole round trip, with the versions read beside it. Then SET and GET of as many bytes.
 */

const SESSIONS = sessionCount(200_000);
const WARM_UP = Math.min(SESSIONS, 20_000);
const REUSE_GRACE_MS = 10_000;
const TTL_SECONDS = 12 * 3600;

const { plain, client, store, versions, notes, note, phase, create, close } = await sessionLoad(
  process.env['CURFEW_REDIS_URL'] ?? '',
);

for (let i = 0; i < WARM_UP; i++) {
  const record = referenceRecord(i);
  await store.create(record);
  await Promise.all([store.exchange(record.sid, 0, REUSE_GRACE_MS, 'anAttemp'), store.read(record.sid)]);
}

const recordOf = await create('create', SESSIONS);
const before = await usedMemory(plain);
await phase('read', SESSIONS, async (i) => {
  if ((await store.read(recordOf(i).sid)) === undefined) throw new Error('a session was not there');
});
const exchange = async (i: number, generation: number) => {
  const { outcome } = await store.exchange(recordOf(i).sid, generation, REUSE_GRACE_MS, 'anAttemp');
  if (outcome !== 'exchanged') throw new Error(`a refresh token was ${outcome}`);
};
await phase('exchange', SESSIONS, (i) => exchange(i, 0));
note('exchange', {
  usedBytes: (notes['create.usedBytes'] ?? Number.NaN) + ((await usedMemory(plain)) - before) / SESSIONS,
  recordBytes: (await memoryOf(plain, SESSIONS, (i) => sessionKey(recordOf(i).sid))).median,
});
for (let partition = 0; partition < PARTITIONS; partition++)
  await plain.hset(positionKey(partition), 'offset', 1, 'tick', Date.now());
await phase('refresh', SESSIONS, (i) => {
  const { subject, sid } = recordOf(i);
  return Promise.all([exchange(i, 1), versions.read(subject, undefined, sid)]);
});

await empty(plain);
const contentBytes = recordBytes(encodeNewRecord(referenceRecord(0)));
const content = 'x'.repeat(contentBytes);
await phase('SET', SESSIONS, (i) => client.set(`sess:${recordOf(i).sid}`, content, 'EX', TTL_SECONDS));
await phase('GET', SESSIONS, (i) => client.get(`sess:${recordOf(i).sid}`));

await close();
report([], { sessions: SESSIONS, contentBytes, ...notes });
