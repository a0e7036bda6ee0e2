import { setTimeout as sleep } from 'node:timers/promises';
import { CurfewError } from '@curfew/contracts';
import { exportJWK, generateKeyPair } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { buildApp } from '../../../services/session-service/src/app.ts';
import { Sessions } from '../../../services/session-service/src/sessions/sessions.ts';
import { readSigningKey } from '../../../services/session-service/src/sessions/signing-key.ts';
import { MemorySessions, MemoryVersions } from '../../support/memory-stores.ts';

let versions: MemoryVersions;
let app: Awaited<ReturnType<typeof buildApp>>;

beforeEach(async () => {
  versions = new MemoryVersions();
  versions.tick = Date.now();
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const key = await readSigningKey(JSON.stringify(await exportJWK(privateKey)));
  const sessions = new Sessions({
    versions,
    store: new MemorySessions(),
    revocations: {
      endSession: async (_subject, _sid, decided) => {
        await decided();
        return { id: 'jti', partition: 1, offset: 2 };
      },
    },
    tokens: { key, issuer: 'https://issuer', audience: 'shop', accessTtlMs: 600_000 },
    sessionTtlMs: 3_600_000,
    maxViewAgeMs: 2000,
    maxClockSkewMs: 250,
    sleep,
    now: Date.now,
  });
  app = await buildApp({ sessions, versions, jwks: key.jwks, notReady: () => [], logLevel: 'silent' });
});

const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload });

describe('the session service over HTTP', () => {
  test('creates, reads, refreshes and ends a session', async () => {
    const created = await post('/v1/sessions', {
      subject: 'alice',
      roles: ['admin'],
      amr: ['pwd'],
      client: { device: 'laptop', userAgent: 'curl', ip: '192.0.2.1' },
    });
    expect(created.statusCode).toBe(201);
    expect(created.headers['cache-control']).toBe('no-store');
    const { sid, refreshToken, version } = created.json();
    expect(version).toMatchObject({ s: 0, t: 0, r: 0 });

    const read = await app.inject(`/v1/sessions/${sid}`);
    expect(read.json()).toMatchObject({ sid, subject: 'alice', amr: ['pwd'], device: 'laptop', standing: 'active' });
    expect(read.body).not.toContain('refresh');

    const refreshed = await post('/v1/sessions/refresh', { refreshToken });
    expect(refreshed.statusCode).toBe(200);
    expect(refreshed.json()).toMatchObject({ sid });

    const ended = await app.inject({ method: 'DELETE', url: `/v1/sessions/${sid}` });
    expect(ended.statusCode).toBe(202);
    expect(ended.json()).toEqual({ id: 'jti', partition: 1, offset: 2 });
    expect((await app.inject(`/v1/sessions/${sid}`)).json()).toMatchObject({ code: 'session_not_found', status: 404 });
  });

  test.each([
    ['without a subject', {}],
    ['with the realm as its subject', { subject: '*' }],
    ['with a subject that is too long', { subject: 'a'.repeat(257) }],
    ['with roles that are no list', { subject: 'alice', roles: 'admin' }],
    ['with a member that nobody knows', { subject: 'alice', rolez: [] }],
    ['with a version that is none', { subject: 'alice', asOfVersion: 'x' }],
    ['with half a place to come after', { subject: 'alice', after: { partition: 1 } }],
  ])('refuses a sign-in %s', async (_name, body) => {
    const reply = await post('/v1/sessions', body);
    expect(reply.headers['content-type']).toContain('application/problem+json');
    expect(reply.json()).toMatchObject({ status: 400, code: 'body_invalid' });
  });

  test('refuses a disabled account with 403, and a wrong refresh token with 401', async () => {
    versions.held.set('u:bob', { current: 5, floor: 5, blocked: true });
    expect((await post('/v1/sessions', { subject: 'bob' })).json()).toMatchObject({
      status: 403,
      code: 'account_disabled',
    });
    const refused = await post('/v1/sessions/refresh', { refreshToken: 'no' });
    expect(refused.json()).toMatchObject({ status: 401, code: 'refresh_token_invalid' });
    expect((await post('/v1/sessions/refresh', {})).json()).toMatchObject({ status: 400, code: 'body_invalid' });
  });

  test('refuses a sign-in that an event overtook with 409, and one whose event is not applied with 504', async () => {
    const overtaken = await post('/v1/sessions', { subject: 'alice', asOfVersion: 3 });
    expect(overtaken.json()).toMatchObject({ status: 409, code: 'subject_changed' });
    const early = await post('/v1/sessions', { subject: 'alice', after: { partition: 1, offset: 9 } });
    expect(early.json()).toMatchObject({ status: 504, code: 'not_applied_yet' });
  });

  test('tells the version of an account, and of one that it never heard of', async () => {
    versions.held.set('u:bob', { current: 7, floor: 5, blocked: true });
    expect((await app.inject('/v1/subjects/bob/version')).json()).toEqual({
      subject: 'bob',
      current: 7,
      floor: 5,
      blocked: true,
    });
    expect((await app.inject('/v1/subjects/eve/version')).json()).toMatchObject({
      current: 0,
      floor: 0,
      blocked: false,
    });
  });

  test('answers 503 with when to try again while Redis is away', async () => {
    versions.read = async () => {
      throw new CurfewError('store_unavailable');
    };
    const reply = await post('/v1/sessions', { subject: 'alice' });
    expect(reply.json()).toMatchObject({ status: 503, code: 'store_unavailable' });
    expect(reply.headers['retry-after']).toBe('1');
  });

  test('serves its keys and its description', async () => {
    expect((await app.inject('/.well-known/jwks.json')).json().keys).toHaveLength(1);
    expect(Object.keys((await app.inject('/openapi.json')).json().paths)).toContain('/v1/sessions/{sid}');
  });
});
