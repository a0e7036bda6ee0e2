import { indexKey, type SessionRecord, sessionKey } from '@curfew/contracts';
import { Redis } from 'ioredis';
import { connectStore } from '../../services/session-service/src/store/redis-connection.ts';
import { RedisSessions } from '../../services/session-service/src/store/redis-sessions.ts';
import { RedisVersions } from '../../services/session-service/src/store/redis-versions.ts';
import { empty, memoryOf, saturate, usedMemory } from './redis-figures.ts';
import { referenceRecord } from './reference-session.ts';

export const PARTITIONS = 12;
/** As `CURFEW_VERSION_TTL_MS` by default. */
const VERSION_TTL_MS = 30 * 86_400_000;

type Figures = Readonly<Record<string, number>>;

/** The session service's own store on a Redis that holds nothing else, and what a case notes of it. */
export async function sessionLoad(url: string) {
  const plain = new Redis(url);
  const connection = connectStore(url);
  await connection.start((error) => console.error(error));
  const store = new RedisSessions(connection.client, Date.now);
  const versions = new RedisVersions({
    redis: connection.client,
    partitions: PARTITIONS,
    versionTtlMs: VERSION_TTL_MS,
  });
  const notes: Record<string, number> = {};
  const note = (name: string, figures: Figures) => {
    for (const [figure, value] of Object.entries(figures)) notes[`${name}.${figure}`] = value;
  };

  /** An operation so many times, at saturation. */
  const phase = async (name: string, count: number, operation: (i: number) => Promise<unknown>) => {
    process.stderr.write(`  ${count} times ${name}\n`);
    note(name, { ...(await saturate(plain, count, operation)) });
  };

  /** As many sessions in an empty Redis, and what each takes of it. */
  const create = async (name: string, count: number, more: (i: number) => Partial<SessionRecord> = () => ({})) => {
    const records = Array.from({ length: count }, (_, i) => ({ ...referenceRecord(i), ...more(i) }));
    const of = (i: number): SessionRecord => records[i] ?? referenceRecord(i);
    await empty(plain);
    const before = await usedMemory(plain);
    await phase(name, count, (i) => store.create(of(i)));
    const usedBytes = ((await usedMemory(plain)) - before) / count;
    const record = await memoryOf(plain, count, (i) => sessionKey(of(i).sid));
    const index = await memoryOf(plain, count, (i) => indexKey(of(i).subject));
    note(name, { usedBytes, recordBytes: record.median, recordBytesMost: record.most, indexBytes: index.median });
    return of;
  };

  const close = async () => {
    await empty(plain);
    plain.disconnect();
    await connection.close();
  };
  return { plain, client: connection.client, store, versions, notes, note, phase, create, close };
}
