import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, call, inWords } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

/** `CURFEW_MAX_VIEW_AGE_MS` as it is by default. */
const BOUND = 2000;

let services: Services;
beforeAll(async () => {
  services = await startServices(inject('stack'), true, { 'session-service': { CURFEW_CANARY_INTERVAL_MS: '300' } });
});
afterAll(() => services?.stop());

interface Outcome {
  readonly service: string;
  readonly by: string;
  readonly says: string;
}

const get = (path: string): Promise<Answer> =>
  call('GET', `${services.urls['session-service']}${path}`, { as: 'admin' });
const revoke = (subject: string, query = '?wait=effective'): Promise<Answer> =>
  call('POST', `${services.urls['session-service']}/v1/revocations${query}`, {
    as: 'admin',
    body: { sub_id: { format: 'opaque', id: subject } },
  });
async function signIn(subject: string): Promise<string> {
  const url = `${services.urls['session-service']}/v1/sessions`;
  return String((await call('POST', url, { as: 'login', body: { subject } })).body['accessToken']);
}
/** What is accepted a few milliseconds before an event makes the count a least one: clocks cannot tell. */
const JUST_BEFORE_MS = 50;
/** What the strict routes answer. */
const answersTo = (token: string) =>
  Promise.all(
    (['orders', 'payments'] as const).map(async (service) =>
      inWords(await call('POST', `${services.urls[service]}/${service}`, { token })),
    ),
  );
const outcomesIn = ({ body }: Answer) =>
  Object.fromEntries((body['sidecars'] as Outcome[]).map(({ service, by, says }) => [service, { by, says }]));
const live = async () => {
  const { sidecars } = (await get('/v1/sidecars')).body as { sidecars: { service: string; state: string }[] };
  return sidecars.flatMap(({ service, state }) => (state === 'live' ? [service] : [])).sort();
};
const untilBothLive = () => expect.poll(live, { timeout: 10_000 }).toEqual(['orders', 'payments']);
const applied = async () => {
  const metrics = await (await fetch(`${services.urls['session-service']}/metrics`)).text();
  return Number(/^curfew_events_applied_total\{[^}]*\} (\d+)/m.exec(metrics)?.[1] ?? 0);
};

describe('a revocation', () => {
  test('is answered with every sidecar, how long it took there, and what was let through', async () => {
    await untilBothLive();
    const token = await signIn('receipts-alice');
    expect(await answersTo(token)).toEqual(['201', '201']);
    await sleep(JUST_BEFORE_MS);
    const answer = await revoke('receipts-alice');
    expect(await answersTo(token)).toEqual(['401 session_revoked', '401 session_revoked']);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ effective: true, summary: '2 of 2', exposed: 0, scopes: ['u:receipts-alice'] });
    expect(answer.body).not.toHaveProperty('atLeast');
    for (const service of ['orders', 'payments']) expect(outcomesIn(answer)[service]).toMatchObject({ by: 'receipt' });
    for (const sidecar of answer.body['sidecars'] as object[])
      expect(sidecar).toMatchObject({
        latencyMs: expect.any(Number),
        exposed: 0,
        says: expect.stringMatching(/^applied after \d+ ms$/),
      });
  });

  test('that a sidecar stands still for is answered only after its lease, and says why', {
    timeout: 60_000,
  }, async () => {
    await untilBothLive();
    const token = await signIn('receipts-bob');
    expect(await answersTo(token)).toEqual(['201', '201']);
    await sleep(JUST_BEFORE_MS);
    const { pid } = services.processes.orders;
    process.kill(pid, 'SIGSTOP');
    let answer: Answer;
    let tookMs: number;
    const began = performance.now();
    try {
      answer = await revoke('receipts-bob');
      tookMs = performance.now() - began;
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    // It has yet to hear of it, and refuses by itself.
    expect(await answersTo(token)).toEqual([expect.stringMatching(/^503 view_stale$|^401/), '401 session_revoked']);
    // From the acknowledgement on, which comes after the request.
    expect(tookMs).toBeGreaterThan(BOUND);
    expect(answer).toMatchObject({ status: 200, body: { effective: true, summary: '2 of 2' } });
    expect(outcomesIn(answer)).toMatchObject({
      orders: { by: 'lease', says: expect.stringMatching(/^silent since \S+Z; refuses by itself from \S+Z on$/) },
      payments: { by: 'receipt' },
    });
    // Awake again, it also tells what it let through.
    const { id } = answer.body;
    const toldByOrders = async () => {
      const { body } = await get(`/v1/revocations/${id}`);
      return (body['sidecars'] as (Outcome & { exposed?: number })[]).find(({ service }) => service === 'orders');
    };
    await expect.poll(toldByOrders, { timeout: 10_000 }).toMatchObject({ by: 'lease', exposed: 0 });
  });

  test('is told as it was by a session service that was started anew', { timeout: 60_000 }, async () => {
    await untilBothLive();
    const { body } = await revoke('receipts-carol');
    await services.restart('session-service');
    expect((await get(`/v1/revocations/${body['id']}`)).body).toEqual(body);
    // What sidecars said before the restart is read again, and those that live go on.
    await untilBothLive();
    expect((await revoke('receipts-dave')).body).toMatchObject({ effective: true, summary: '2 of 2' });
  });

  test('is found by whom it names, and one that nobody knows is not', async () => {
    await untilBothLive();
    const { body } = await revoke('receipts-erin');
    expect((await get('/v1/revocations?subject=receipts-erin')).body).toEqual({ revocations: [body] });
    expect(inWords(await get('/v1/revocations/nobody-knows'))).toBe('404 revocation_not_found');
  });

  test('that ends nothing is effective at once, and says so', async () => {
    const event = {
      iss: 'https://id.example.com',
      jti: 'receipts-created',
      iat: Math.floor(Date.now() / 1000),
      sub_id: { format: 'opaque', id: 'receipts-alice' },
      events: {
        'https://schemas.openid.net/secevent/caep/event-type/credential-change': {
          credential_type: 'password',
          change_type: 'create',
        },
      },
    };
    const url = `${services.urls['identity-publisher']}/v1/account-events`;
    expect((await call('POST', url, { as: 'identity', body: event })).status).toBe(202);
    expect(await get('/v1/revocations/receipts-created?wait=effective')).toMatchObject({
      status: 200,
      body: { effective: true, scopes: [], sidecars: [], says: 'it ends nothing' },
    });
  });

  test('that one does not wait for is answered at once', async () => {
    expect(await revoke('frank', '')).toMatchObject({ status: 202, body: { offset: expect.any(Number) } });
  });
});

test('canaries are listed where they are asked for, and count as no account event', { timeout: 30_000 }, async () => {
  const ids = async (query: string) =>
    (await get(`/v1/revocations?limit=1000${query}`)).body['revocations'] as { canary?: boolean; effective: boolean }[];
  await sleep(2000);
  const before = await applied();
  const canariesOf = async () => (await ids('&canaries=true')).filter(({ canary }) => canary);
  const { length } = await canariesOf();
  await expect.poll(async () => (await canariesOf()).length, { timeout: 10_000 }).toBeGreaterThan(length + 5);
  expect((await ids('')).filter(({ canary }) => canary)).toEqual([]);
  expect(await applied()).toBe(before);
  const metrics = await (await fetch(`${services.urls['session-service']}/metrics`)).text();
  expect(metrics).toMatch(/curfew_revocation_effective_duration_count\{canary="true",by="receipt"/);
});
