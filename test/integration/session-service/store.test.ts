import { randomUUID } from 'node:crypto';
import type { RedisConnection } from '@curfew/store';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { connectStore } from '../../../services/session-service/src/store/redis-connection.ts';
import { RedisSessions } from '../../../services/session-service/src/store/redis-sessions.ts';
import type { SessionRecord } from '../../../services/session-service/src/store/session-store.ts';

const HOUR_MS = 3_600_000;

let redis: RedisConnection;
let sessions: RedisSessions;

beforeAll(async () => {
  redis = connectStore(inject('stack').redisUrl);
  redis.start(() => {});
  await vi.waitFor(() => expect(redis.notReady()).toEqual([]));
  sessions = new RedisSessions(redis.client, Date.now);
});

afterAll(() => redis.close());

describe('session records in Redis', () => {
  const record = (subject: string, rest: Partial<SessionRecord> = {}): SessionRecord => ({
    sid: randomUUID(),
    subject,
    roles: ['admin'],
    rolesAt: 1,
    createdAt: Date.now(),
    expiresAt: Date.now() + HOUR_MS,
    s: 1,
    t: 2,
    r: 3,
    at: 4,
    ...rest,
  });

  test('are read as they were written', async () => {
    const full = record(randomUUID(), {
      tenant: 'acme',
      tier: 'payment',
      acr: 'urn:mfa',
      amr: ['pwd', 'otp'],
      device: 'laptop',
      userAgent: 'curl',
      ip: '192.0.2.1',
    });
    await sessions.create(full, 'hash');
    expect(await sessions.read(full.sid)).toEqual(full);
    const bare = record(randomUUID());
    await sessions.create(bare, 'hash');
    expect(await sessions.read(bare.sid)).toEqual(bare);
    expect(await sessions.read('nobody')).toBeUndefined();
  });

  test('expire, as their index does, with the longest of them', async () => {
    const subject = randomUUID();
    const long = record(subject, { expiresAt: Date.now() + HOUR_MS });
    await sessions.create(long, 'hash');
    await sessions.create(record(subject, { expiresAt: Date.now() + 1000 }), 'hash');
    expect(await redis.client.pttl(`curfew:idx:{${subject}}`)).toBeGreaterThan(HOUR_MS / 2);
    const keys = await redis.client.keys('curfew:ses:*');
    for (const key of keys) expect(await redis.client.pttl(key)).toBeGreaterThan(0);
    expect(keys.some((key) => key.includes(long.sid))).toBe(false);
  });

  test('give their refresh token away once, to one of many that ask at the same time', async () => {
    const one = record(randomUUID());
    await sessions.create(one, 'shown');
    const renewal = { s: 9, t: 9, r: 9, at: 9, roles: ['viewer'], rolesAt: 9 };
    const tries = Array.from({ length: 20 }, (_, i) => sessions.refresh(one.sid, 'shown', `next-${i}`, renewal));
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    expect(await sessions.read(one.sid)).toMatchObject(renewal);
  });

  test('are lifted over a bump that spares them, never lowered, and never brought back', async () => {
    const one = record('alice', { s: 50 });
    await sessions.create(one, 'hash');
    await sessions.keep(one.sid, 'alice', 70, 0);
    await sessions.keep(one.sid, 'alice', 60, 0);
    await sessions.keep(one.sid, 'mallory', 90, 0);
    await sessions.keep(one.sid, 'alice', 95, 71);
    expect((await sessions.read(one.sid))?.s).toBe(70);
    await sessions.remove(one.sid, 'alice');
    await sessions.keep(one.sid, 'alice', 90, 0);
    expect(await sessions.read(one.sid)).toBeUndefined();
  });

  test('are found by device', async () => {
    const subject = randomUUID();
    const phone = record(subject, { device: 'phone' });
    await sessions.create(phone, 'hash');
    await sessions.create(record(subject, { device: 'laptop' }), 'hash');
    expect(await sessions.onDevice(subject, 'phone')).toEqual([phone.sid]);
  });
});
