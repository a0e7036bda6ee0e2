import { randomUUID } from 'node:crypto';
import {
  type CurfewError,
  encodeNewRecord,
  indexKey,
  MAX_WRITTEN_BYTES,
  newSessionId,
  recordBytes,
  type SessionRecord,
  sessionKey,
  sidOf,
} from '@curfew/contracts';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { RedisSessions } from '../../../services/session-service/src/store/redis-sessions.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { sessionRecord } from '../../support/session-records.ts';
import { onEachStore } from '../../support/stores.ts';

const HOUR_MS = 3_600_000;
const GRACE_MS = 10_000;
const ATTEMPT = 'anAttemp';
const RENEWAL = { s: 1, t: 1, r: 1, at: 1, roles: [], rolesAt: 1 };

onEachStore((redis) => {
  let subject = '';
  let invalid = 0;
  const sessions = new RedisSessions(redis.client, Date.now, () => invalid++);

  beforeEach(() => {
    subject = randomUUID();
    invalid = 0;
  });

  async function created(members: Partial<SessionRecord> = {}): Promise<SessionRecord> {
    const record = sessionRecord({ subject, ...members });
    expect(await sessions.create(record)).toMatchObject({ stored: true });
    return record;
  }

  /** As large as one may be. */
  function full(members: Partial<SessionRecord>): SessionRecord {
    const record = sessionRecord({ subject, ...members });
    const bytes = recordBytes(encodeNewRecord({ ...record, device: '' }));
    return { ...record, device: 'x'.repeat(MAX_WRITTEN_BYTES - bytes) };
  }

  describe('session records in Redis', () => {
    test('are read as they were written', async () => {
      const whole = await created({
        tenant: 'acme',
        roles: ['admin'],
        rolesAt: 1,
        tier: 'payment',
        acr: 'urn:mfa',
        amr: ['pwd', 'otp'],
        device: 'laptop',
        userAgent: 'curl',
        ip: '192.0.2.0/24',
        clientId: 'login',
        s: 1,
        t: 2,
        r: 3,
        at: 4,
        ux: { theme: 'dark' },
      });
      expect(await sessions.read(whole.sid)).toEqual(whole);
      const bare = await created();
      expect(await sessions.read(bare.sid)).toEqual(bare);
      expect(await sessions.read('nobody')).toBeUndefined();
    });

    test('expire unused or at their end, whichever comes first; their index with the longest of them', async () => {
      const now = Date.now();
      const idle = await created({ expiresAt: now + 12 * HOUR_MS, idleMs: HOUR_MS });
      const short = await created({ expiresAt: now + HOUR_MS / 2, idleMs: HOUR_MS });
      const ttl = async (key: string) => Math.ceil(((await redis.client.pttl(key)) / HOUR_MS) * 2) / 2;
      expect(await ttl(sessionKey(idle.sid))).toBe(1);
      expect(await ttl(sessionKey(short.sid))).toBe(0.5);
      expect(await ttl(indexKey(subject))).toBe(12);
    });

    test('are refused where they would be too large, and leave nothing behind', async () => {
      const record = sessionRecord({ subject, roles: Array.from({ length: 64 }, () => 'x'.repeat(20)) });
      await expect(sessions.create(record)).rejects.toMatchObject({ code: 'session_record_too_large' });
      expect(await redis.client.exists(sessionKey(record.sid))).toBe(0);
      const large = await created({ roles: Array.from({ length: 30 }, () => 'x'.repeat(20)) });
      const ux = { note: 'x'.repeat(200) };
      await expect(sessions.setUx(large.sid, ux)).rejects.toMatchObject({ code: 'session_record_too_large' });
      expect((await sessions.read(large.sid))?.ux).toBeUndefined();
      await expect(sessions.setUx(sidOf(newSessionId()), {})).rejects.toMatchObject({ code: 'session_not_found' });
    });

    test('are no more than the limit of their subject, however many come at once', async () => {
      const tries = Array.from({ length: 20 }, () => sessions.create(sessionRecord({ subject }), 3));
      const answers = await Promise.all(tries);
      expect(answers.filter(({ stored }) => stored)).toHaveLength(3);
      expect(await sessions.ofSubject(subject)).toHaveLength(3);
      expect(await redis.client.zcard(indexKey(subject))).toBe(3);
    });

    test('are listed, the oldest first, and those that are over leave the index', async () => {
      const old = await created({ createdAt: Date.now() - HOUR_MS });
      const young = await created();
      const gone = await created();
      await redis.client.del(sessionKey(gone.sid));
      // As one that dies between finding a reuse and ending the session leaves it.
      const reused = await created({ generation: 7 });
      await sessions.exchange(reused.sid, 0, GRACE_MS, ATTEMPT);
      expect((await sessions.ofSubject(subject)).map(({ sid }) => sid)).toEqual([old.sid, young.sid]);
      expect(await redis.client.zcard(indexKey(subject))).toBe(2);
    });

    test('are lifted over a bump that spares them, never lowered, and never brought back', async () => {
      const one = await created({ s: 50 });
      await sessions.keep(one.sid, subject, 70, 0);
      await sessions.keep(one.sid, subject, 60, 0);
      await sessions.keep(one.sid, 'mallory', 90, 0);
      await sessions.keep(one.sid, subject, 95, 71);
      expect((await sessions.read(one.sid))?.s).toBe(70);
      await sessions.remove(one.sid, subject);
      await sessions.keep(one.sid, subject, 90, 0);
      expect(await sessions.renew(one.sid, RENEWAL)).toBeUndefined();
      await sessions.undelivered(one.sid, 0, ATTEMPT);
      expect(await redis.client.exists(sessionKey(one.sid))).toBe(0);
    });

    test('are lifted with the roles of a change that they have yet to take on, and not with those of an older one', async () => {
      const { sid } = await created({ roles: ['owner'], s: 50, rolesAt: 50 });
      await sessions.keep(sid, subject, 60, 0, { roles: ['viewer'], rolesAt: 50 });
      expect(await sessions.read(sid)).toMatchObject({ s: 60, roles: ['owner'], rolesAt: 50 });
      await sessions.keep(sid, subject, 70, 0, { roles: ['viewer'], rolesAt: 51 });
      expect(await sessions.read(sid)).toMatchObject({ s: 70, roles: ['viewer'], rolesAt: 51 });
    });

    test('law: a lift does what the model does, and nothing where the record would be too large', async () => {
      const version = fc.nat(20);
      const given = fc.option(
        fc.record({
          // About as many letters as leave room for the rest of a record, and a few that are two bytes long.
          roles: fc.nat(40).map((more) => ['é'.repeat(10) + 'x'.repeat(890 + more)]),
          rolesAt: version,
        }),
        { nil: undefined },
      );
      let tooLarge = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.record({ s: version, rolesAt: version }),
          fc.array(fc.tuple(version, version, given), { minLength: 1, maxLength: 6 }),
          async (held, lifts) => {
            const record = await created({ ...held, userAgent: 'curl', roles: ['owner'] });
            const model = new MemorySessions(Date.now);
            await model.create(record);
            for (const [current, floorBefore, roles] of lifts) {
              await sessions.keep(record.sid, subject, current, floorBefore, roles);
              await model.keep(record.sid, subject, current, floorBefore, roles);
              const kept = model.records.get(record.sid);
              expect(await sessions.read(record.sid)).toEqual(kept);
              const { s = 0, rolesAt = 0 } = kept ?? {};
              if (s < current && s >= floorBefore && roles && roles.rolesAt > rolesAt) tooLarge++;
            }
          },
        ),
        { numRuns: 60, seed: 5 },
      );
      expect(tooLarge).toBeGreaterThan(0);
    });

    test('get one next id for all who show the same, for as long as the grace, and none for another', async () => {
      const { sid } = await created({ idHash: 'first' });
      const rotate = (shown: string, next: string, graceMs = GRACE_MS) =>
        sessions.renew(sid, RENEWAL, { shown, next, graceMs });
      const before = Date.now();
      const renewed = await Promise.all(['second', 'other'].map((next) => rotate('first', next)));
      expect(renewed.map((record) => record?.idHash)).toEqual(['second', 'second']);
      expect(await sessions.read(sid)).toEqual(renewed[0]);
      expect(renewed[0]?.predecessorUntil).toBeGreaterThanOrEqual(before + GRACE_MS);
      expect(await rotate('nobody', 'third')).toBeUndefined();
      expect(await rotate('second', 'third', 1000)).toMatchObject({ idHash: 'third', previousIdHash: 'second' });
      expect(await rotate('first', 'third')).toBeUndefined();
      await redis.client.hset(sessionKey(sid), 'p', Date.now() - 1);
      expect(await rotate('second', 'fourth')).toBeUndefined();
    });

    test('law: a renewal, and a lift, do what the model does, and no version ever falls', async () => {
      const version = fc.nat(9);
      const renewal = fc.record({
        ...{ s: version, t: version, r: version, at: version },
        roles: fc.constantFrom([], ['viewer'], ['x'.repeat(600)]),
        rolesAt: version,
      });
      const hash = fc.constantFrom('a', 'b', 'c');
      const id = fc.option(fc.record({ shown: hash, next: hash, graceMs: fc.constantFrom(0, HOUR_MS) }), {
        nil: undefined,
      });
      const lift = fc.record({ lift: version });
      await fc.assert(
        fc.asyncProperty(fc.array(fc.oneof(fc.tuple(renewal, id), lift), { maxLength: 8 }), async (steps) => {
          const record = await created({ idHash: 'a', userAgent: 'x'.repeat(100), ux: { note: 'x'.repeat(300) } });
          const model = new MemorySessions(Date.now);
          await model.create(record);
          for (const step of steps) {
            const before = await sessions.read(record.sid);
            const both = await Promise.all(
              [sessions, model].map(async (store) => {
                if ('lift' in step) return store.keep(record.sid, subject, step.lift, 0);
                const code = ({ code }: CurfewError) => code;
                const [change, next] = step;
                const renewed = await store.renew(record.sid, change, next).catch(code);
                return typeof renewed === 'object' ? { ...renewed, predecessorUntil: 0 } : renewed;
              }),
            );
            expect(both[0]).toEqual(both[1]);
            const after = await sessions.read(record.sid);
            for (const name of ['s', 't', 'r', 'at', 'rolesAt'] as const)
              expect(after?.[name]).toBeGreaterThanOrEqual(before?.[name] ?? 0);
          }
        }),
        { numRuns: 60 },
      );
    });

    test('take what a user interface kept again after a renewal, and less, but no more', async () => {
      const { sid } = await created(full({ ux: { note: 'x'.repeat(180) } }));
      const renewal = { ...RENEWAL, s: Date.now(), t: Date.now(), r: Date.now(), rolesAt: Date.now() };
      await sessions.renew(sid, renewal);
      for (const length of [180, 170]) await sessions.setUx(sid, { note: 'x'.repeat(length) });
      await expect(sessions.setUx(sid, { note: 'x'.repeat(171) })).rejects.toMatchObject({
        code: 'session_record_too_large',
      });
    });

    test('leave room for what renewals add', async () => {
      const { sid, idHash } = await created(full({ idHash: sidOf(newSessionId()), at: Date.now() }));
      const version = Date.now();
      const renewal = { ...RENEWAL, s: version, t: version, r: version, at: version, rolesAt: version };
      const id = { shown: `${idHash}`, next: sidOf(newSessionId()), graceMs: GRACE_MS };
      expect(await sessions.renew(sid, renewal, id)).toMatchObject({ s: version, idHash: id.next });
    });

    describe('whose successor nobody got', () => {
      const untilOf = async (sid: string) => (await sessions.read(sid))?.predecessorUntil ?? 0;

      test('exchange the token to their end, once all say so who exchanged it, in any order, and twice', async () => {
        const { sid, expiresAt } = await created();
        for (const attempt of ['attemptA', 'attemptB', 'attemptA']) await sessions.exchange(sid, 0, GRACE_MS, attempt);
        const until = await untilOf(sid);
        for (const attempt of ['attemptA', 'attemptA', 'attemptC']) await sessions.undelivered(sid, 0, attempt);
        expect(await untilOf(sid)).toBe(until);
        await sessions.undelivered(sid, 0, 'attemptB');
        expect(await untilOf(sid)).toBe(expiresAt);
      });

      test('exchange it for the grace again, once somebody has', async () => {
        const { sid } = await created();
        await sessions.exchange(sid, 0, GRACE_MS, 'attemptA');
        await sessions.undelivered(sid, 0, 'attemptA');
        expect(await sessions.exchange(sid, 0, GRACE_MS, 'attemptB')).toMatchObject({ outcome: 'again' });
        await sessions.undelivered(sid, 0, 'attemptA');
        expect(await untilOf(sid)).toBeLessThanOrEqual(Date.now() + GRACE_MS);
      });

      test('exchange it for no longer where it was another generation’s, or more came than are remembered', async () => {
        const { sid } = await created();
        const attempts = Array.from({ length: 7 }, (_, i) => `attempt${i}`);
        for (const attempt of attempts) await sessions.exchange(sid, 0, GRACE_MS, attempt);
        const until = await untilOf(sid);
        await sessions.undelivered(sid, 1, 'attempt0');
        for (const attempt of attempts) await sessions.undelivered(sid, 0, attempt);
        expect(await untilOf(sid)).toBe(until);
      });
    });

    test('that have ended exchange nothing for longer, and are not renewed', async () => {
      const { sid } = await created({ generation: 7, attempts: ATTEMPT });
      await sessions.exchange(sid, 0, GRACE_MS, ATTEMPT);
      const before = await sessions.read(sid);
      await sessions.undelivered(sid, 6, ATTEMPT);
      expect(await sessions.renew(sid, RENEWAL)).toBeUndefined();
      expect(await sessions.read(sid)).toEqual(before);
    });

    test('law: an exchange, and its taking back, do what the model does', async () => {
      const attempt = fc.constantFrom('attemptA', 'attemptB', 'attemptC');
      const step = fc.constantFrom('exchange', 'undelivered');
      const steps = fc.array(fc.tuple(fc.nat(3), step, fc.constantFrom(0, HOUR_MS), attempt), { maxLength: 14 });
      await fc.assert(
        fc.asyncProperty(steps, async (taken) => {
          const record = await created();
          const model = new MemorySessions(Date.now);
          await model.create(record);
          for (const [generation, what, graceMs, attempt] of taken) {
            const outcomes = [];
            for (const store of [sessions, model])
              if (what === 'undelivered') await store.undelivered(record.sid, generation, attempt);
              else outcomes.push((await store.exchange(record.sid, generation, graceMs, attempt)).outcome);
            expect(outcomes[0]).toBe(outcomes[1]);
          }
          const [inRedis, inModel] = await Promise.all([sessions, model].map((store) => store.read(record.sid)));
          const { generation, ended, attempts } = inModel ?? {};
          expect({ generation, ended, attempts }).toEqual({
            generation: inRedis?.generation,
            ended: inRedis?.ended,
            attempts: inRedis?.attempts,
          });
          // Each by its own clock, a moment apart.
          expect(Math.abs((inRedis?.predecessorUntil ?? 0) - (inModel?.predecessorUntil ?? 0))).toBeLessThan(5000);
        }),
        { numRuns: 60 },
      );
    });

    test('exchange one refresh token for one successor, for fifty that ask at once', async () => {
      const { sid } = await created();
      const answers = await Promise.all(Array.from({ length: 50 }, () => sessions.exchange(sid, 0, GRACE_MS, ATTEMPT)));
      expect(answers.filter(({ outcome }) => outcome === 'exchanged')).toHaveLength(1);
      expect(answers.filter(({ outcome }) => outcome === 'again')).toHaveLength(49);
      expect((await sessions.read(sid))?.generation).toBe(1);
    });

    test('are found out as reused by one of fifty that ask at once', async () => {
      const { sid } = await created({ generation: 7 });
      const answers = await Promise.all(Array.from({ length: 50 }, () => sessions.exchange(sid, 3, GRACE_MS, ATTEMPT)));
      expect(answers.filter(({ outcome }) => outcome === 'reused')).toHaveLength(1);
      expect(answers.filter(({ outcome }) => outcome === 'ended')).toHaveLength(49);
    });

    test('live on when they are used, and never beyond their end', async () => {
      const soon = Math.floor(Date.now() / 1000) * 1000;
      const { sid } = await created({ lastSeenAt: soon - HOUR_MS + 5000, expiresAt: soon + 60_000 });
      expect(await redis.client.pttl(sessionKey(sid))).toBeLessThanOrEqual(5000);
      await sessions.exchange(sid, 0, GRACE_MS, ATTEMPT);
      const ttl = await redis.client.pttl(sessionKey(sid));
      expect(ttl).toBeGreaterThan(50_000);
      expect(ttl).toBeLessThanOrEqual(60_000);
    });

    test.each([
      ['a text where a number was', { x: 'soon' }],
      ['half a list', { o: '["user"' }],
      ['a generation that is none', { g: '-' }],
      ['no subject', { u: '' }],
      ['a tier that nobody knows', { k: '\u0000' }],
    ])('that somebody edited to hold %s are invalid and counted, and nothing fails', async (_what, edit) => {
      const { sid } = await created();
      await redis.client.hset(sessionKey(sid), edit);
      expect(await sessions.read(sid)).toBeUndefined();
      expect(await sessions.exchange(sid, 0, GRACE_MS, ATTEMPT)).toEqual({ outcome: 'absent' });
      expect(await sessions.ofSubject(subject)).toEqual([]);
      await sessions.keep(sid, subject, 9, 0);
      expect(invalid).toBe(3);
    });

    test.each(['9'.repeat(30), '1e99', 'inf', '-1'].flatMap((number) => [...'xygpl'].map((field) => [field, number])))(
      'that somebody edited to hold in %s the number %s are not exchanged, and nothing of them changes',
      async (field, number) => {
        const { sid } = await created({ generation: 3, predecessorUntil: Date.now() + HOUR_MS });
        const key = sessionKey(sid);
        await redis.client.hset(key, field, number);
        const before = [await redis.client.hgetall(key), await redis.client.pexpiretime(key)];
        for (const generation of [1, 2, 3])
          expect(await sessions.exchange(sid, generation, GRACE_MS, ATTEMPT)).toEqual({ outcome: 'absent' });
        expect([await redis.client.hgetall(key), await redis.client.pexpiretime(key)]).toEqual(before);
        expect(invalid).toBe(3);
      },
    );

    test('whose key holds something else are invalid and counted, and nothing fails', async () => {
      const { sid } = await created();
      await redis.client.set(sessionKey(sid), 'rubbish', 'PX', 1000);
      expect(await sessions.read(sid)).toBeUndefined();
      expect(await sessions.exchange(sid, 0, GRACE_MS, ATTEMPT)).toEqual({ outcome: 'absent' });
      await sessions.keep(sid, subject, 9, 0);
      await sessions.undelivered(sid, 0, ATTEMPT);
      expect(await sessions.renew(sid, RENEWAL)).toBeUndefined();
      await expect(sessions.setUx(sid, {})).rejects.toMatchObject({ code: 'session_not_found' });
      expect(invalid).toBe(2);
    });
  });
});
