import { sessionScope, sidOf } from '@curfew/contracts';
import { empty, usedMemory } from '../redis-figures.ts';
import { referenceRecord, sessionCount } from '../reference-session.ts';
import { report } from '../report.ts';
import { PARTITIONS, sessionLoad } from '../session-load.ts';

/**
 * Other records than the reference: 2 KB of JSON a session, ended one by one; longer ones of Curfew's; and the versions
 * that account events leave behind.
 */

const SESSIONS = sessionCount(200_000);
/** Enough for what each takes: as many to a slot of Redis' tables as of 200,000. */
const FEWER = SESSIONS / 4;
const JSON_BYTES = 2048;
const TTL_SECONDS = 12 * 3600;

const { plain, client, versions, notes, note, phase, create, close } = await sessionLoad(
  process.env['CURFEW_REDIS_URL'] ?? '',
);

const key = (i: number) => `sess:${i.toString().padStart(32, '0')}`;
const user = JSON.stringify(referenceRecord(0));
const json = JSON.stringify({ user, cart: 'x'.repeat(JSON_BYTES - JSON.stringify({ user, cart: '' }).length) });
await empty(plain);
const before = await usedMemory(plain);
await phase('json', SESSIONS, (i) => client.set(key(i), json, 'EX', TTL_SECONDS));
note('json', { usedBytes: ((await usedMemory(plain)) - before) / SESSIONS });
await phase('json GET', SESSIONS, (i) => client.get(key(i)));
await phase('json UNLINK', FEWER, (i) => client.unlink(key(i)));

const subject = (i: number) => `5f0c9d1e-7b3a-4c2f-9a61-${i.toString(16).padStart(12, '0')}`;
const userAgent =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';
await create('uuid', FEWER, (i) => ({ subject: subject(i) }));
await create('userAgentInListpack', FEWER, () => ({ userAgent }));
// As Redis comes: a hash with a longer value is stored as a table.
await plain.config('SET', 'hash-max-listpack-value', 64);
await create('userAgent', FEWER, () => ({ userAgent }));
await plain.config('SET', 'hash-max-listpack-value', 1024);

await empty(plain);
const beforeBumps = await usedMemory(plain);
await phase('bump', FEWER, (i) => {
  const scope = sessionScope(sidOf(`${i}`));
  return versions.apply(i % PARTITIONS, -1, i, [{ scope, offset: i, time: Date.now(), ends: true }]);
});
note('bump', { usedBytes: ((await usedMemory(plain)) - beforeBumps) / FEWER });

await close();
report([], { sessions: SESSIONS, fewer: FEWER, jsonBytes: Buffer.byteLength(json), ...notes });
