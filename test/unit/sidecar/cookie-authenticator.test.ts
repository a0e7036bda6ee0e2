import {
  CurfewError,
  encodeNewRecord,
  newSessionId,
  type SessionRecord,
  sessionIdHash,
  sidOf,
} from '@curfew/contracts';
import type { Verdict } from '@curfew/replica';
import type { StoredRecord } from '@curfew/store';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { Authenticator } from '../../../libs/sidecar/src/authenticator.ts';
import { Circuit } from '../../../libs/sidecar/src/circuit.ts';
import { clockOf } from '../../../libs/sidecar/src/clock.ts';
import { CookieAuthenticator } from '../../../libs/sidecar/src/cookie-authenticator.ts';
import { sessionRecord } from '../../support/session-records.ts';
import { AUDIENCE, ISSUER, NOW } from './issuer.ts';
import { BOUND } from './store.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ID = newSessionId();

let now: number;
/** What the replica says of a session minted with so high a version of its subject. */
let verdictOf: (s: number) => Verdict;
let record: SessionRecord | undefined;
let fields: Record<string, string> | undefined;
let away: boolean;
let refused: boolean;
let reads: number;
let warnings: string[];
/** The rejections that requests were told at last. */
let rejected: string[];
/** Requests that were accepted at last. */
let accepted: number;

beforeEach(() => {
  now = NOW;
  verdictOf = () => 'active';
  record = sessionRecord({
    sid: sidOf(ID),
    idHash: sessionIdHash(ID),
    createdAt: NOW,
    authenticatedAt: NOW,
    lastSeenAt: NOW,
    expiresAt: NOW + 12 * HOUR_MS,
  });
  fields = undefined;
  away = false;
  refused = false;
  reads = 0;
  warnings = [];
  rejected = [];
  accepted = 0;
});

const stored = (): Record<string, string> =>
  fields ??
  (record === undefined
    ? {}
    : Object.fromEntries(Object.entries(encodeNewRecord(record)).map(([field, value]) => [field, String(value)])));

/** As Redis does it: a use is noted once a minute. */
async function read(): Promise<StoredRecord> {
  reads++;
  if (away) throw new Error('away');
  if (refused) throw new CurfewError('store_unavailable', undefined, { reason: 'right_missing' });
  if (record !== undefined && now - record.lastSeenAt >= MINUTE_MS) record = { ...record, lastSeenAt: now };
  return { fields: stored(), now };
}

function cookies() {
  const circuit = new Circuit(() => now);
  const authenticator = new Authenticator({
    checkToken: async () => ({ ok: false, code: 'session_invalid' }),
    checkAt: ({ s }) => verdictOf(s),
    readThrough: undefined,
    acceptances: { add: () => accepted++, takeBack: () => accepted-- },
    tokenCacheSize: 1,
    clock: clockOf(() => now),
    onRejected: (_versions, code) => rejected.push(code),
  });
  const all = new CookieAuthenticator({
    authenticator,
    read,
    circuit,
    issuer: ISSUER,
    audience: AUDIENCE,
    cacheSize: 100,
    clock: clockOf(() => now),
    onWarning: (message) => warnings.push(message),
  });
  const show = (id = ID, policy: 'strict' | 'lenient' = 'strict') => all.authenticate(id, policy, BOUND);
  return { show, counts: all.counts, circuit };
}

const revoked = { ok: false, code: 'session_revoked' };
const invalid = { ok: false, code: 'session_invalid' };

describe('a session cookie', () => {
  test('is looked up once, and answered from memory from then on', async () => {
    const { show, counts } = cookies();
    const first = await show();
    expect(first).toMatchObject({ ok: true, session: { subject: 'alice', sid: sidOf(ID), source: 'memory' } });
    expect(show()).toBe(first);
    expect(reads).toBe(1);
    expect(counts).toMatchObject({ cookieHits: 1, cookieMisses: 1 });
  });

  test('is looked up once for many requests that come at the same time', async () => {
    const { show } = cookies();
    await Promise.all(Array.from({ length: 50 }, () => show()));
    expect(reads).toBe(1);
  });

  test.each(['', 'x', 'a'.repeat(44), `${ID}=`])('that is %j is no session, without a look', async (id) => {
    expect(await cookies().show(id)).toMatchObject(invalid);
    expect(reads).toBe(0);
  });

  test('that nobody knows is no session, and is looked up once a second', async () => {
    record = undefined;
    const { show } = cookies();
    for (let i = 0; i < 5; i++) expect(await show()).toMatchObject(invalid);
    expect(reads).toBe(1);
    now += 1000;
    expect(await show()).toMatchObject(invalid);
    expect(reads).toBe(2);
  });

  test('is not pushed out of memory by ids that somebody makes up', async () => {
    const { show } = cookies();
    await show();
    const alice = record;
    record = undefined;
    for (let i = 0; i < 200; i++) expect(await show(newSessionId())).toMatchObject(invalid);
    record = alice;
    expect(show()).not.toBeInstanceOf(Promise);
  });

  test('cannot be judged while Redis is away, on a lenient route too: nobody knows whose it is', async () => {
    away = true;
    const { show } = cookies();
    for (const policy of ['strict', 'lenient'] as const)
      expect(await show(ID, policy)).toMatchObject({ ok: false, code: 'view_stale' });
  });

  test('cannot be judged either where the sidecar may not read records; that keeps nobody from reading versions', async () => {
    const { show, circuit } = cookies();
    refused = true;
    for (let i = 0; i < 10; i++) expect(await show(newSessionId())).toMatchObject({ code: 'view_stale' });
    expect(circuit.open).toBe(false);
    [refused, away] = [false, true];
    for (let i = 0; i < 10; i++) await show(newSessionId());
    expect(circuit.open).toBe(true);
  });

  test('that is known goes on while Redis is away, until it was idle for too long', async () => {
    const { show } = cookies();
    await show();
    away = true;
    now += HOUR_MS - 1;
    expect(await show()).toMatchObject({ ok: true });
    now += 1;
    expect(await show()).toMatchObject({ ok: false });
  });

  test('ends unused, and at its end, by the record and whatever the browser keeps', async () => {
    const { show } = cookies();
    await show();
    record = undefined;
    now += HOUR_MS;
    expect(await show()).toMatchObject(invalid);
  });

  test.each([
    ['has ended', { ended: 'refresh-reuse' }],
    ['has a newer id', { idHash: 'newer', previousIdHash: sessionIdHash(ID) }],
  ] as const)('that %s is no session', async (_what, change) => {
    record = record && { ...record, ...change };
    expect(await cookies().show()).toMatchObject(invalid);
  });

  test('is not one that tokens carry', async () => {
    const { idHash: _, ...byTokens } = sessionRecord({ sid: sidOf(ID) });
    record = byTokens;
    expect(await cookies().show()).toMatchObject(invalid);
  });

  test('whose record somebody edited is no session, and is counted', async () => {
    fields = { ...stored(), x: 'rubbish' };
    const { show, counts } = cookies();
    expect(await show()).toMatchObject(invalid);
    expect(counts.invalidRecords).toBe(1);
    expect(warnings).toHaveLength(1);
    fields = { '': '' };
    expect(await cookies().show()).toMatchObject(invalid);
  });

  test('is noted as used once a minute, beside a request that does not wait for it', async () => {
    const { show } = cookies();
    await show();
    now += MINUTE_MS - 1;
    expect(show()).not.toBeInstanceOf(Promise);
    expect(reads).toBe(1);
    now += 1;
    expect(show()).not.toBeInstanceOf(Promise);
    await Promise.resolve();
    expect(reads).toBe(2);
    expect(record?.lastSeenAt).toBe(NOW + MINUTE_MS);
  });

  test('is noted as used a minute after its last use, however late it was read', async () => {
    const { show } = cookies();
    now += MINUTE_MS - 5000;
    await show();
    now += 5000;
    expect(show()).not.toBeInstanceOf(Promise);
    await new Promise(setImmediate);
    expect(record?.lastSeenAt).toBe(NOW + MINUTE_MS);
  });

  test('is not read again and again where a use cannot be noted', async () => {
    fields = stored();
    const { show } = cookies();
    now += 2 * MINUTE_MS;
    await show();
    now += MINUTE_MS - 1;
    show();
    expect(reads).toBe(1);
  });

  test('that was logged out meanwhile is found out by that note', async () => {
    const { show } = cookies();
    await show();
    record = undefined;
    now += MINUTE_MS;
    show();
    await new Promise(setImmediate);
    expect(await show()).toMatchObject(invalid);
  });
});

describe('evidence against a session that is known', () => {
  test('ends it, and goes on being told once the record is gone', async () => {
    const { show } = cookies();
    await show();
    verdictOf = () => 'revoked';
    record = undefined;
    now += 2000;
    for (let i = 0; i < 3; i++) expect(await show()).toMatchObject(revoked);
    expect(reads).toBe(2);
    expect(rejected).toEqual(['session_revoked', 'session_revoked', 'session_revoked']);
    verdictOf = () => 'active';
    expect(await show()).toMatchObject(invalid);
    expect(accepted).toBe(1);
  });

  test('has its record read anew, which may have been spared since', async () => {
    const { show } = cookies();
    await show();
    verdictOf = (s) => (s < 70 ? 'revoked' : 'active');
    record = record && { ...record, s: 70 };
    expect(await show()).toMatchObject({ ok: true });
    expect(show()).toMatchObject({ ok: true });
    expect(reads).toBe(2);
    expect(rejected).toEqual([]);
  });

  test('has it read anew once a second at the most', async () => {
    const { show } = cookies();
    await show();
    verdictOf = () => 'stale';
    now += 2000;
    for (let i = 0; i < 20; i++) expect(await show()).toMatchObject({ ok: false, code: 'session_stale' });
    expect(reads).toBe(2);
    now += 1000;
    await show();
    expect(reads).toBe(3);
  });

  test('stands where Redis is away', async () => {
    const { show } = cookies();
    await show();
    verdictOf = () => 'revoked';
    away = true;
    now += 2000;
    expect(await show()).toMatchObject(revoked);
    expect(rejected).toEqual(['session_revoked']);
  });
});

test('law: whatever is read from memory, no session lives longer than its record', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.boolean()), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 2, max: 60 }),
      fc.integer({ min: 30, max: 300 }),
      async (steps, idleMinutes, lifeMinutes) => {
        now = NOW;
        record = sessionRecord({
          sid: sidOf(ID),
          idHash: sessionIdHash(ID),
          createdAt: NOW,
          lastSeenAt: NOW,
          idleMs: idleMinutes * MINUTE_MS,
          expiresAt: NOW + lifeMinutes * MINUTE_MS,
        });
        const { show } = cookies();
        await show();
        for (const [minutes, reachable] of steps) {
          now += minutes * MINUTE_MS;
          away = !reachable;
          const endsAt: number = record ? Math.min(record.lastSeenAt + record.idleMs, record.expiresAt) : 0;
          if (now >= endsAt) record = undefined;
          const answer = await show();
          await new Promise(setImmediate);
          if (record === undefined) expect(answer.ok).toBe(false);
        }
      },
    ),
    { numRuns: 200 },
  );
});
