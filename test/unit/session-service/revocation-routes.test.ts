import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { authorizationOf, type LocalClient } from '../../../infra/local/clients.mjs';
import { buildApp } from '../../../services/session-service/src/app.ts';
import { accessOf } from '../../support/access.ts';
import { applied, receiptOf, revocationOf, SKEW } from '../../support/receipts.ts';
import { sessionLives } from '../../support/session-lives.ts';

/** Acknowledged now, so that the clock of the routes agrees. */
let at: number;
let lives: Awaited<ReturnType<typeof sessionLives>>;
let app: Awaited<ReturnType<typeof buildApp>>;

beforeEach(async () => {
  at = Date.now();
  lives = await sessionLives(at);
  const { end } = lives;
  app = await buildApp({
    ...lives,
    access: accessOf({ verifyAccessToken: async () => undefined }),
    revocations: { end },
    notReady: () => [],
    logLevel: 'silent',
  });
  lives.reports.heard(receiptOf('orders-1', at - 100));
});
afterEach(() => lives.reports.close());

const revoke = async (query: string) => {
  const sub_id = { format: 'opaque', id: 'alice' };
  const headers = { authorization: authorizationOf('admin') };
  const reply = await app.inject({ method: 'POST', url: `/v1/revocations${query}`, headers, payload: { sub_id } });
  return { status: reply.statusCode, body: reply.json() };
};
const get = async (url: string, as: LocalClient = 'admin') =>
  (await app.inject({ url, headers: { authorization: authorizationOf(as) } })).json();
const says = (exposed: number) =>
  lives.reports.heard(receiptOf('orders-1', at + 50, { applied: [applied(at + 3, { exposed })] }));

describe('a revocation over HTTP', () => {
  test('is answered at once unless one waits', async () => {
    expect(await revoke('')).toEqual({ status: 202, body: { id: 'jti', partition: 1, offset: 2 } });
  });

  test('may be older than those that are looked at, which the list says', async () => {
    expect(await get('/v1/revocations')).toEqual({ revocations: [] });
    vi.spyOn(lives.reports, 'list').mockResolvedValue({ reports: [], isTruncated: true });
    expect(await get('/v1/revocations?subject=alice')).toEqual({ revocations: [], truncated: true });
  });

  test('is answered at once where the event ends nothing, and says so', async () => {
    const waiting = revoke('?wait=effective');
    await sleep(10);
    lives.reports.announced([revocationOf(at, { scopes: [] })]);
    expect(await waiting).toMatchObject({
      status: 200,
      body: {
        effective: true,
        effectiveAt: new Date(at).toISOString(),
        sidecars: [],
        exposed: 0,
        says: 'it ends nothing',
      },
    });
    expect(await get('/v1/revocations')).toMatchObject({ revocations: [] });
    expect(await get('/v1/revocations/jti')).toMatchObject({ effective: true, says: expect.any(String) });
  });

  test('is answered when it is effective, with what each sidecar says', async () => {
    lives.reports.announced([revocationOf(at, { traceId: 'a'.repeat(32), announcedAt: at + 2 })]);
    const waiting = revoke('?wait=effective');
    await sleep(10);
    says(4);
    const time = (ms: number) => new Date(at + ms).toISOString();
    expect(await waiting).toEqual({
      status: 200,
      body: {
        id: 'jti',
        partition: 0,
        offset: 5,
        why: 'caep/session-revoked',
        scopes: ['u:alice'],
        traceId: 'a'.repeat(32),
        at: time(0),
        appliedAt: time(0),
        announcedAt: time(2),
        effective: true,
        effectiveAt: time(3),
        summary: '1 of 1',
        exposed: 4,
        sidecars: [
          {
            service: 'orders',
            instance: 'orders-1',
            state: 'live',
            effective: true,
            by: 'receipt',
            appliedAt: time(3),
            latencyMs: 3,
            effectiveAt: time(3),
            exposed: 4,
            says: 'applied after 3 ms',
          },
        ],
      },
    });
  });

  test('says that there may have been more where nobody has said what was let through, or one has closed', async () => {
    const outcomes = [{ service: 'orders', instance: 'a', state: 'live', by: 'receipt', exposed: 0 }] as const;
    for (const [revocation, isLeast] of [
      [revocationOf(at, { outcomes: [] }), true],
      [revocationOf(at, { outcomes, atLeast: true }), true],
      [revocationOf(at, { outcomes }), undefined],
      [revocationOf(at, { outcomes: [], scopes: [] }), undefined],
    ] as const) {
      const report = { revocation, outcomes: revocation.outcomes ?? [], effective: true };
      vi.spyOn(lives.reports, 'report').mockResolvedValue(report);
      expect((await get('/v1/revocations/jti'))['atLeast']).toBe(isLeast);
    }
  });

  test('is answered with 202 and what is known where the time is over first', async () => {
    lives.reports.announced([revocationOf(at)]);
    expect(await revoke('?wait=effective&timeoutMs=20')).toMatchObject({
      status: 202,
      body: { effective: false, summary: '0 of 1', sidecars: [{ by: 'pending', says: 'has not applied it yet' }] },
    });
  });

  test('says that there may have been more for as long as a sidecar has not applied it', async () => {
    lives.reports.heard(receiptOf('orders-2', at - 100));
    lives.reports.announced([revocationOf(at)]);
    const told = async () => get('/v1/revocations/jti');
    expect(await told()).toMatchObject({ summary: '0 of 2', exposed: 0, atLeast: true });
    says(4);
    expect(await told()).toMatchObject({ summary: '1 of 2', exposed: 4, atLeast: true });
    lives.reports.heard(receiptOf('orders-2', at + 60, { applied: [applied(at + 9)] }));
    expect(await told()).toMatchObject({ summary: '2 of 2', exposed: 4 });
    expect(await told()).not.toHaveProperty('atLeast');
  });

  test('is answered with 202 and its place where it is not even announced by then', async () => {
    const answer = await revoke('?wait=effective&timeoutMs=0');
    expect(answer).toEqual({ status: 202, body: { id: 'jti', partition: 1, offset: 2 } });
  });

  test('that waits for the bus is not waited for', async () => {
    lives.end.mockResolvedValueOnce({ id: 'jti', status: 'accepted, not yet effective' });
    expect(await revoke('?wait=effective')).toEqual({
      status: 202,
      body: { id: 'jti', status: 'accepted, not yet effective' },
    });
  });

  test.each(['?wait=for-ever', '?wait=effective&timeoutMs=60001', '?timeoutMs=-1', '?patience=1'])(
    'refuses %s',
    async (query) => {
      expect((await revoke(query)).body).toMatchObject({ code: 'body_invalid' });
      expect(lives.end).not.toHaveBeenCalled();
    },
  );

  test('is read by its id, and an unknown one is not found', async () => {
    lives.reports.announced([revocationOf(at)]);
    expect(await get('/v1/revocations/jti')).toMatchObject({ id: 'jti', effective: false });
    says(0);
    expect(await get('/v1/revocations/jti?wait=effective')).toMatchObject({ effective: true, exposed: 0 });
    const unknown = { status: 404, code: 'revocation_not_found' };
    expect(await get('/v1/revocations/nobody-knows')).toMatchObject(unknown);
    expect(await get('/v1/revocations/nobody-knows?wait=effective&timeoutMs=10')).toMatchObject(unknown);
    expect(await get('/v1/revocations/jti', 'identity')).toMatchObject({ code: 'scope_insufficient' });
  });

  test('that a sidecar is only known to be past tells of no fewer requests than of none', async () => {
    lives.reports.announced([revocationOf(at)]);
    lives.reports.heard(receiptOf('orders-1', at + 50, { tick: at + SKEW }));
    expect(await get('/v1/revocations/jti')).toMatchObject({ effective: true, exposed: 0, atLeast: true });
  });

  test('is listed by what it names and when, the newest first', async () => {
    lives.reports.announced([
      revocationOf(at, { id: 'user' }),
      revocationOf(at + 1, { id: 'session', scopes: ['s:laptop'] }),
      revocationOf(at + 2, { id: 'tenant', scopes: ['t:acme'] }),
      revocationOf(at + 3, { id: 'canary', canary: true, scopes: ['u:curfew.canary.1'] }),
    ]);
    const ids = async (query: string) =>
      (await get(`/v1/revocations${query}`)).revocations.map(({ id }: { id: string }) => id);
    expect(await ids('')).toEqual(['tenant', 'session', 'user']);
    expect(await ids('?limit=1')).toEqual(['tenant']);
    expect(await ids('?canaries=true&limit=1')).toEqual(['canary']);
    expect(await ids('?subject=alice')).toEqual(['user']);
    expect(await ids('?session=laptop&tenant=acme')).toEqual(['tenant', 'session']);
    expect(await ids(`?since=${new Date(at + 1).toISOString()}`)).toEqual(['tenant']);
    for (const query of ['?limit=0', '?since=yesterday', '?since=1990-12-31T23:59:60Z', '?canaries=some'])
      expect(await get(`/v1/revocations${query}`)).toMatchObject({ code: 'body_invalid' });
  });
});

test('sidecars are listed with what they said last, and how far behind the others they are', async () => {
  const partitions = [
    { offset: 5, tick: at - 400, ageMs: 650 },
    { offset: -1, tick: 0, ageMs: 0 },
  ];
  lives.reports.heard(receiptOf('orders-1', at - 50, { partitions: [{ offset: 2, tick: at - 900, ageMs: 900 }] }));
  lives.reports.heard(receiptOf('payments-1', at - 3000, { service: 'payments', partitions }));
  const time = (ms: number) => new Date(at + ms).toISOString();
  expect(await get('/v1/sidecars')).toEqual({
    sidecars: [
      {
        service: 'orders',
        instance: 'orders-1',
        state: 'live',
        startedAt: new Date(0).toISOString(),
        lastReceiptAt: time(-50),
        leaseUntil: time(1950),
        boundMs: 2000,
        lagRecords: 3,
        partitions: [{ partition: 0, offset: 2, tick: time(-900), ageMs: 900 }],
      },
      expect.objectContaining({
        service: 'payments',
        state: 'silent',
        lagRecords: 0,
        partitions: [
          { partition: 0, offset: 5, tick: time(-400), ageMs: 650 },
          { partition: 1, offset: -1, ageMs: 0 },
        ],
      }),
    ],
  });
});
