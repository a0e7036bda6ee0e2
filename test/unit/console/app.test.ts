import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { authorizationOf, credentialOf } from '../../../infra/local/clients.mjs';
import { buildApp } from '../../../services/console/src/app.ts';
import { Board } from '../../../services/console/src/board.ts';
import { EventStream, eventOf } from '../../../services/console/src/event-stream.ts';
import { SessionService } from '../../../services/console/src/session-service.ts';
import { Watch } from '../../../services/console/src/watch.ts';
import { type FakeAnswers, startFakeSessionService } from '../../support/fake-session-service.ts';
import { revocationReport, sidecarReport } from '../../support/reports.ts';

const NOW = Date.now();
const ORIGIN = 'http://127.0.0.1:7000';

const usual = (): FakeAnswers => ({
  sidecars: [sidecarReport(NOW), sidecarReport(NOW, { service: 'payments' })],
  revocations: [
    revocationReport(NOW - 2000),
    revocationReport(NOW - 1000, { id: 'canary', canary: true, scopes: ['u:c'] }),
  ],
  metrics: 'curfew_store_used_memory 7\n',
  notReady: [],
  sessions: { s1: { subject: 'alice' } },
  versions: { alice: 5, carol: 9 },
});
const answers = usual();
beforeEach(() => void Object.assign(answers, usual()));
const fake = await startFakeSessionService(answers);
afterAll(() => fake.close());

async function createConsole(urls: readonly string[] = [fake.url]) {
  const sessionService = new SessionService({ urls, credential: credentialOf('console') });
  const board = new Board();
  const stream = new EventStream();
  const app = await buildApp({
    board,
    stream,
    sessionService,
    origins: [ORIGIN],
    traceUrl: 'http://127.0.0.1:9411/zipkin/traces/{traceId}',
    logLevel: 'silent',
    now: () => NOW,
  });
  const watch = new Watch({
    board,
    sessionService,
    now: () => NOW,
    onRound: () => stream.send(eventOf('state', 1)),
    onRecall: () => {},
  });
  const read = (url: string, headers: Record<string, string> = {}) =>
    app.inject({ url, headers: { host: '127.0.0.1:7000', ...headers } });
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: '/api/revocations',
      payload: JSON.stringify(body),
      headers: { host: '127.0.0.1:7000', origin: ORIGIN, 'content-type': 'application/json', ...headers },
    });
  return { app, watch, read, post };
}

describe('GET /api/state', () => {
  test('says in one sentence how things stand, once the session service was asked', async () => {
    const { watch, read } = await createConsole();
    expect((await read('/api/state')).json().headline.level).toBe('unknown');
    await watch.round();
    const state = (await read('/api/state')).json();
    expect(state.headline).toMatchObject({ level: 'good', text: 'Revocations are effective everywhere' });
    expect(state).toMatchObject({ open: 2, live: 2, boundMs: 2000, store: { usedMemoryBytes: 7 } });
    expect(state.revocations.map(({ id }: { id: string }) => id)).toEqual([`event-${NOW - 2000}`]);
    expect(state.lastCanary.id).toBe('canary');
    expect(state.traceUrl).toContain('{traceId}');
  });

  test('says what the session service says against itself', async () => {
    const { watch, read } = await createConsole();
    answers.notReady = ['Redis does not answer'];
    await watch.round();
    expect((await read('/api/state')).json().headline.details).toContain('Redis does not answer');
  });

  test('is an answer although no session service is there, and the console is ready all the same', async () => {
    const { watch, read } = await createConsole(['http://127.0.0.1:1']);
    await watch.round();
    const state = await read('/api/state');
    expect([state.statusCode, state.json().headline.level]).toEqual([200, 'unknown']);
    expect((await read('/readyz')).statusCode).toBe(200);
    expect((await read('/api/subjects/alice')).json().code).toBe('upstream_unavailable');
  });

  test('asks the next instance where one is away', async () => {
    const { watch, read } = await createConsole(['http://127.0.0.1:1', fake.url]);
    await watch.round();
    expect((await read('/api/state')).json().headline.level).toBe('good');
  });
});

describe('GET /api/events', () => {
  test('begins with everything and goes on with what is new', async () => {
    const { app, watch } = await createConsole();
    await watch.round();
    const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    const leaving = new AbortController();
    const request = get({ port, path: '/api/events', headers: { host: '127.0.0.1:7000' }, signal: leaving.signal });
    request.on('error', () => {});
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.headers['content-type']).toBe('text/event-stream');
    response.on('error', () => {});
    let heard = '';
    const events = () => heard.split('\n\n').slice(0, -1);
    const second = new Promise<void>((resolve) => {
      response.on('data', (chunk) => {
        heard += chunk;
        if (events().length === 1) void watch.round();
        if (events().length === 2) resolve();
      });
    });
    await second;
    leaving.abort();
    expect(events().map((event) => event.slice(0, 20))).toEqual(['event: whole\ndata: {', 'event: state\ndata: 1']);
    expect(JSON.parse(events()[0]?.split('data: ')[1] ?? '').points).toEqual([]);
    await app.close();
  });
});

describe('a look-up', () => {
  test('of a revocation brings what the session service says of it', async () => {
    const { read } = await createConsole();
    expect((await read('/api/revocations/canary')).json()).toEqual(answers.revocations[1]);
    expect((await read('/api/revocations/other')).statusCode).toBe(404);
  });

  test('of revocations leaves canaries out unless they are asked for', async () => {
    const { read } = await createConsole();
    const ids = async (url: string) => (await read(url)).json().revocations.map(({ id }: { id: string }) => id);
    expect(await ids('/api/revocations')).toEqual([`event-${NOW - 2000}`]);
    expect(await ids('/api/revocations?canaries=true')).toEqual([`event-${NOW - 2000}`, 'canary']);
    expect((await read('/api/revocations?limit=0')).json().code).toBe('body_invalid');
  });

  test('of a subject brings its version, its sessions and its revocations', async () => {
    const { read } = await createConsole();
    expect((await read('/api/subjects/alice')).json()).toMatchObject({
      version: { current: 5 },
      sessions: [{ sid: 's1' }],
      revocations: [{ scopes: ['u:alice'] }],
    });
  });

  test('of a session brings it, and 404 where nothing is known of it', async () => {
    const { read } = await createConsole();
    expect((await read('/api/sessions/s1')).json()).toMatchObject({ session: { subject: 'alice' }, revocations: [] });
    expect((await read('/api/sessions/s2')).json().code).toBe('session_not_found');
  });

  test.each([
    ['canary', ['revocation']],
    ['s1', ['session']],
    ['alice', ['subject']],
    ['carol', ['subject']],
    ['nobody', []],
  ])('by %s finds what it may be', async (q, kinds) => {
    const { read } = await createConsole();
    const { found } = (await read(`/api/search?q=${q}`)).json();
    expect(found.map(({ kind }: { kind: string }) => kind)).toEqual(kinds);
  });
});

describe('POST /api/revocations', () => {
  const authorization = authorizationOf('operator');

  test("passes the operator's credential on and answers when it is effective", async () => {
    const { post } = await createConsole();
    const answer = await post({ subject: 'alice', reason: 'a stolen laptop' }, { authorization });
    expect([answer.statusCode, answer.json()]).toEqual([200, answers.revocations[0]]);
    expect(fake.posted.at(-1)).toEqual({
      body: { sub_id: { format: 'opaque', id: 'alice' }, reason: 'a stolen laptop' },
      query: { wait: 'effective', timeoutMs: '10000' },
    });
  });

  test('without a credential is refused, and never made with the one of the console', async () => {
    const { post } = await createConsole();
    const before = fake.posted.length;
    const answer = await post({ subject: 'alice' });
    expect([answer.statusCode, answer.json().code]).toEqual([401, 'client_unauthenticated']);
    expect(fake.posted).toHaveLength(before);
  });

  test('with a credential that may not revoke answers as the session service does', async () => {
    const { post } = await createConsole();
    const answer = await post({ subject: 'alice' }, { authorization: authorizationOf('console') });
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'scope_insufficient']);
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  test.each([{}, { subject: '' }, { subject: 'a', everybody: true }])('refuses the body %j', async (body) => {
    const { post } = await createConsole();
    expect((await post(body, { authorization })).json().code).toBe('body_invalid');
  });

  test.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a page of another port of this machine', { origin: 'http://127.0.0.1:7001' }],
    ['a frame without an origin', { origin: 'null' }],
    ['another site, by the word of the browser', { 'sec-fetch-site': 'cross-site' }],
  ])('refuses what comes from %s', async (_, headers) => {
    const { post } = await createConsole();
    const answer = await post({ subject: 'alice' }, { authorization, ...headers });
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'cross_site_request']);
  });

  test.each(['/api/revocations', '/%61pi/revocations'])('refuses what names no origin, at %s', async (url) => {
    const { app } = await createConsole();
    const headers = { host: '127.0.0.1:7000', authorization };
    const answer = await app.inject({ method: 'POST', url, payload: { subject: 'alice' }, headers });
    expect(answer.json().code).toBe('cross_site_request');
  });
});

describe.each(['/api/state', '/%61pi/state', '/ap%69/subjects/alice'])('GET %s', (url) => {
  test.each([
    ['a site whose name was made to point here', { host: 'evil.example:7000', origin: 'http://evil.example:7000' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
  ])('tells %s nothing', async (_, headers) => {
    const { read } = await createConsole();
    const answer = await read(url, headers);
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'cross_site_request']);
  });
});

test('an instance that accepts and says nothing counts as away, within a second', async () => {
  const mute = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => mute.once('listening', resolve));
  try {
    const { watch, read } = await createConsole([`http://127.0.0.1:${(mute.address() as AddressInfo).port}`]);
    await watch.round();
    expect((await read('/api/state')).json().hearing.failure).toBe('The session service does not answer');
  } finally {
    mute.closeAllConnections();
    mute.close();
  }
});

describe('the page', () => {
  test('and its libraries are served, with headers that let nothing else in', async () => {
    const { read } = await createConsole();
    for (const url of ['/', '/vendor/uplot/uPlot.esm.js', '/vendor/lit-html/lit-html.js']) {
      const { statusCode, headers } = await read(url);
      expect([url, statusCode, headers['cache-control']]).toEqual([url, 200, 'no-cache']);
      expect(headers['content-security-policy']).toContain("script-src 'self';");
    }
  });

  test('is all that is served: no file beside it', async () => {
    const { read } = await createConsole();
    for (const url of ['/../src/server.ts', '/%2e%2e/src/server.ts', '/vendor/uplot/../package.json', '/vendor/'])
      expect((await read(url)).json().code).toBe('route_not_found');
  });
});
