import { setTimeout as sleep } from 'node:timers/promises';
import {
  encodeNewRecord,
  encodeVersionRecord,
  newSessionId,
  partitionOf,
  type SessionRecord,
  sessionIdHash,
  sessionKey,
  sidOf,
  subjectScope,
  TOPICS,
} from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import { createSidecar, type Sidecar } from '@curfew/sidecar';
import { createRedis } from '@curfew/store';
import type { Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { ensureTopics } from '../../services/session-service/src/events/kafka-topics.ts';
import { PARTITIONS } from '../support/account-event-records.ts';
import { sessionRecord } from '../support/session-records.ts';
import { tickIntoVersions } from '../support/ticking.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const { brokers, redisUrl } = inject('stack');
const redis = createRedis(redisUrl);
const kafka = createKafka({ brokers, clientId: 'sidecar-cookie-test' });
let producer: Producer;
const ticker = tickIntoVersions(() => producer, PARTITIONS);

beforeAll(async () => {
  const admin = kafka.admin();
  await admin.connect();
  await ensureTopics(admin, PARTITIONS);
  await admin.disconnect();
  producer = kafka.producer({ allowAutoTopicCreation: false });
  await Promise.all([producer.connect(), redis.start(() => {})]);
  ticker.start();
});
afterAll(async () => {
  ticker.stop();
  await Promise.all([producer.disconnect(), redis.close()]);
});

let sidecar: Sidecar;
let warnings: string[];
beforeEach(async () => {
  warnings = [];
  sidecar = createSidecar({
    brokers,
    redisUrl,
    // Longer than the machine that runs the tests ever stands still.
    readThroughTimeoutMs: 2000,
    issuer: 'https://issuer.test',
    audience: 'shop',
    service: 'orders',
    onWarning: (message) => warnings.push(message),
  });
  await sidecar.start();
});
afterEach(() => sidecar.close());

let subjects = 0;

/** Signs in: a record with its end in Redis, dated so that memory can prove the session. */
async function signedIn(members: Partial<SessionRecord> = {}) {
  const id = newSessionId();
  const ofRealm = { t: Number.MAX_SAFE_INTEGER, r: Number.MAX_SAFE_INTEGER };
  const subject = `cookie-${process.pid}-${++subjects}`;
  const ids = { sid: sidOf(id), idHash: sessionIdHash(id) };
  const record = sessionRecord({ ...ids, subject, s: 4, ...ofRealm, at: Date.now() + 1000, ...members });
  const key = sessionKey(record.sid);
  const endsAt = Math.min(record.lastSeenAt + record.idleMs, record.expiresAt);
  await redis.client.multi().hset(key, encodeNewRecord(record)).pexpireat(key, endsAt).exec();
  return { id, key, subject };
}

const seconds = (ago: number) => Math.floor(Date.now() / 1000) * 1000 - ago;
const seenAt = async (key: string) => Number(await redis.client.hget(key, 'l')) * 1000;

/** How many records Redis has read since it started. */
async function recordsRead(): Promise<number> {
  const [master] = redis.masters();
  return Number(/cmdstat_hgetall:calls=(\d+)/.exec((await master?.info('commandstats')) ?? '')?.[1] ?? 0);
}

const INVALID = { ok: false, code: 'session_invalid' };

describe('a session cookie, with a real Redis and Kafka', () => {
  test('is read from Redis once, and decided from memory from then on', async () => {
    const { id, subject } = await signedIn({ roles: ['admin'] });
    const before = await recordsRead();
    const first = await sidecar.authenticateCookie(id);
    expect(first).toMatchObject({ ok: true, session: { subject, roles: ['admin'], source: 'memory', provable: true } });
    for (let i = 0; i < 1000; i++) expect(sidecar.authenticateCookie(id)).toBe(first);
    expect((await recordsRead()) - before).toBe(1);
  });

  test('is rejected once its password change is announced', async () => {
    const { id, subject } = await signedIn();
    await sidecar.authenticateCookie(id);
    const scope = subjectScope(subject);
    const version = { current: 5, floor: 5, at: 5, why: 'caep/credential-change', id: 'x', offset: 0 };
    const record = encodeVersionRecord({ kind: 'version', scope, ...version });
    const partition = partitionOf(subject, PARTITIONS);
    await producer.send({ topic: TOPICS.sessionVersions, acks: -1, messages: [{ ...record, partition }] });
    const refused = { ok: false, code: 'session_revoked' };
    await expect.poll(() => sidecar.authenticateCookie(id)).toMatchObject(refused);
  });

  test('goes on where the event that ends others spares it: its record is read anew', async () => {
    const { id, key, subject } = await signedIn();
    await sidecar.authenticateCookie(id);
    await redis.client.hset(key, 's', 5);
    const other = await signedIn({ subject });
    const scope = subjectScope(subject);
    const version = { current: 5, floor: 5, at: 5, why: 'caep/session-revoked', id: 'x', offset: 0 };
    const record = encodeVersionRecord({ kind: 'version', scope, ...version });
    const partition = partitionOf(subject, PARTITIONS);
    await producer.send({ topic: TOPICS.sessionVersions, acks: -1, messages: [{ ...record, partition }] });
    await expect.poll(() => sidecar.authenticateCookie(other.id)).toMatchObject({ ok: false });
    expect(await sidecar.authenticateCookie(id)).toMatchObject({ ok: true, session: { subject } });
  });

  test.each<[string, (key: string) => Promise<unknown>]>([
    ['rubbish in a field', (key) => redis.client.hset(key, 'x', 'rubbish')],
    ['infinity in a field', (key) => redis.client.hset(key, 'y', 'inf')],
    ['roles that are no JSON', (key) => redis.client.hset(key, 'o', '[')],
    ['bytes that are no text', (key) => redis.client.hset(key, 'l', Buffer.from([0xff, 0xfe]))],
    ['another type', (key) => redis.client.multi().del(key).set(key, 'rubbish', 'EX', 60).exec()],
  ])('whose record somebody edited to hold %s is no session, and nothing fails', async (_what, edit) => {
    const { id, key } = await signedIn();
    await edit(key);
    expect(await sidecar.authenticateCookie(id)).toMatchObject(INVALID);
    expect(warnings).toContainEqual(expect.stringContaining('session record'));
    const sound = await signedIn();
    expect(await sidecar.authenticateCookie(sound.id)).toMatchObject({ ok: true });
  });

  test('is noted as used where its last use is a minute ago, and only there', async () => {
    const recent = await signedIn({ lastSeenAt: seconds(MINUTE_MS / 2) });
    const before = await seenAt(recent.key);
    const older = await signedIn({ lastSeenAt: seconds(2 * MINUTE_MS) });
    for (const { id } of [recent, older]) await sidecar.authenticateCookie(id);
    expect(await seenAt(recent.key)).toBe(before);
    expect(await seenAt(older.key)).toBeGreaterThan(seconds(MINUTE_MS));
    expect(await redis.client.pttl(older.key)).toBeGreaterThan(HOUR_MS - MINUTE_MS);
  });

  test('ends unused, though the browser keeps it', async () => {
    const { id } = await signedIn({ idleMs: 2000 });
    expect(await sidecar.authenticateCookie(id)).toMatchObject({ ok: true });
    await sleep(2100);
    expect(await sidecar.authenticateCookie(id)).toMatchObject(INVALID);
  });
});
