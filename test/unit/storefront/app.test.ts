import { CurfewError } from '@curfew/contracts';
import type { App } from '@curfew/http';
import type { Authentication } from '@curfew/sidecar';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildApp } from '../../../services/storefront/src/app.ts';
import { readStorefrontConfig } from '../../../services/storefront/src/config.ts';

/** A sidecar that knows two tokens, and fails the test where a route asks it about no token. */
class FakeSidecar {
  readonly missing: string[] = [];
  readonly policies: string[] = [];
  answers: Record<string, Authentication> = {
    alice: {
      ok: true,
      session: { subject: 'alice', sid: '1', roles: ['admin'], provable: true } as never,
    },
    ended: { ok: false, code: 'session_revoked', source: 'memory' },
  };

  now = () => Date.now();
  authenticateCookie = (id: string, policy?: string) => this.authenticate(id, policy);
  boundOf = (maxViewAgeMs = 2000) => maxViewAgeMs;
  notReady = () => this.missing;
  turnedAway = () => {};
  authenticate = (token: string, policy = 'strict') => {
    this.policies.push(policy);
    return this.answers[token] ?? ({ ok: false, code: 'session_invalid', source: 'token' } as const);
  };
}

let sidecars: { orders: FakeSidecar; payments: FakeSidecar };
let orders: App;
let payments: App;

beforeEach(async () => {
  sidecars = { orders: new FakeSidecar(), payments: new FakeSidecar() };
  payments = await build('payments', 'http://127.0.0.1:9');
  orders = await build('orders', await payments.listen({ port: 0, host: '127.0.0.1' }));
});
afterEach(() => Promise.all([orders.close(), payments.close()]));

const build = (name: 'orders' | 'payments', paymentsUrl: string) =>
  buildApp({ name, sidecar: sidecars[name], paymentsUrl, logLevel: 'silent' });

const request = (method: 'GET' | 'POST', url: string, token?: string) =>
  orders.inject({ method, url, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

describe('the storefront', () => {
  test('shows its catalog to anybody', async () => {
    expect((await request('GET', '/catalog')).statusCode).toBe(200);
    expect(sidecars.orders.policies).toEqual([]);
  });

  test.each([
    ['GET', '/orders', 'lenient'],
    ['POST', '/orders', 'strict'],
    ['GET', '/payments', 'strict'],
    ['POST', '/payments', 'strict'],
  ] as const)('%s %s wants a session (%s)', async (method, url, policy) => {
    expect((await request(method, url)).json()).toMatchObject({ status: 401, code: 'session_invalid' });
    expect((await request(method, url, 'ended')).json()).toMatchObject({ status: 401, code: 'session_revoked' });
    expect((await request(method, url, 'alice')).json()).toMatchObject({ subject: 'alice' });
    expect(sidecars.orders.policies).toEqual([policy, policy]);
  });

  test.each(['/orders', '/payments'])('%s tells the roles that the token carries', async (url) => {
    expect((await request('GET', url, 'alice')).json()).toMatchObject({ subject: 'alice', roles: ['admin'] });
  });

  test('has its own and the payment service judge an order, each for itself', async () => {
    const reply = await request('POST', '/orders', 'alice');
    expect(reply.statusCode).toBe(201);
    expect(reply.json()).toMatchObject({ subject: 'alice', payment: { subject: 'alice' } });
    expect(sidecars.payments.policies).toEqual(['strict']);
  });

  test.each(['session_revoked', 'session_stale', 'session_expired'] as const)(
    'passes on that payments refuses the session (%s)',
    async (code) => {
      sidecars.payments.answers = { alice: { ok: false, code, source: 'memory' } };
      const reply = await request('POST', '/orders', 'alice');
      expect(reply.json()).toMatchObject({ status: 401, code });
      expect(reply.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
    },
  );

  test('answers 502 when payments cannot judge the session, or is away', async () => {
    sidecars.payments.answers = { alice: { ok: false, code: 'view_stale', source: 'policy' } };
    expect((await request('POST', '/orders', 'alice')).json()).toMatchObject({
      status: 502,
      code: 'upstream_unavailable',
    });
    await payments.close();
    expect((await request('POST', '/orders', 'alice')).json()).toMatchObject({
      status: 502,
      code: 'upstream_unavailable',
    });
  });

  test('is ready once its sidecar is live, and alive before', async () => {
    sidecars.orders.missing.push('catching up');
    expect((await request('GET', '/readyz')).json()).toMatchObject({ code: 'not_ready', detail: 'catching up' });
    expect((await request('GET', '/healthz')).statusCode).toBe(200);
    sidecars.orders.missing.pop();
    expect((await request('GET', '/readyz')).statusCode).toBe(200);
  });
});

describe('the configuration', () => {
  test('is that of the local stack by default', () => {
    expect(readStorefrontConfig({})).toMatchObject({
      service: 'orders',
      brokers: ['127.0.0.1:19092'],
      port: 7011,
      partitions: 12,
      maxViewAgeMs: 2000,
      paymentsUrl: 'http://127.0.0.1:7012',
    });
  });

  test.each([
    ['CURFEW_PAYMENTS_URL', 'localhost'],
    ['CURFEW_WINDOW_MS', '10'],
    ['CURFEW_MAX_VIEW_AGE_MS', '250'],
    ['CURFEW_PARTITIONS', '0'],
    ['PORT', 'http'],
  ])('names %s when it cannot be used: %s', (name, value) => {
    const read = () => readStorefrontConfig({ [name]: value });
    expect(read).toThrow(CurfewError);
    expect(read).toThrow(expect.objectContaining({ code: 'option_invalid', detail: expect.stringContaining(name) }));
  });
});
