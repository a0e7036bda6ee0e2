import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CAEP, SESSION_COOKIE, sidOf, TOPICS } from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { authorizationOf, credentialOf, type LocalClient } from '../../infra/local/clients.mjs';
import { startKafka } from '../../infra/local/kafka.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { startRedis } from '../../infra/local/redis.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { type Answer, call } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';
import { openSpanSink, type SpanSink } from '../support/span-sink.ts';

/** What no span, log or metric may tell: what it is, by the text to look for. */
const secrets = new Map<string, string>();
/** A text that stands nowhere else, and looks the same in a URL and in JSON. */
function plant(what: string): string {
  const secret = `planted-${what.replaceAll(/\W+/g, '-')}-${randomUUID().slice(0, 8)}`;
  secrets.set(secret, what);
  return secret;
}
/** A secret of the services' own making; what a JWT tells stands in its middle, and the last part lets it be used. */
function issued(what: string, secret: unknown): string {
  if (typeof secret !== 'string') throw new Error(`there is no ${what}`);
  for (const part of secret.split('.').slice(1)) secrets.set(part, `part of the ${what}`);
  if (!secret.includes('.')) secrets.set(secret, what);
  return secret;
}

const LOCAL_CLIENTS: readonly LocalClient[] = ['login', 'admin', 'identity', 'console', 'operator'];
const subject = plant('subject');
const tenant = plant('tenant');
const email = `${plant('e-mail')}@example.com`;
const device = plant('device');
const reason = plant('reason');

/** What the session service logs of a record that nobody understands. */
const KEPT_ASIDE = 'an account event is kept aside';

const directory = mkdtempSync(join(tmpdir(), 'curfew-secrets-'));
let kafka: Awaited<ReturnType<typeof startKafka>>;
let redis: Awaited<ReturnType<typeof startRedis>>;
let sink: SpanSink;
let services: Services;
/** By service. */
const metrics = new Map<string, string>();
const logs = new Map<string, string>();

beforeAll(async () => {
  const [kafkaPort = 0, redisPort = 0] = await freePorts(2);
  [kafka, redis, sink] = await Promise.all([
    startKafka({ port: kafkaPort, directory }),
    startRedis({ port: redisPort, directory }),
    openSpanSink(),
  ]);
  const limits = { CURFEW_CLIENT_RATE_LIMIT: '100000', CURFEW_ADDRESS_RATE_LIMIT: '100000' };
  const environment = { ...sink.environment, ...limits };
  const names = ['session-service', 'identity-publisher', 'orders', 'payments', 'console'] as const;
  const all = Object.fromEntries(names.map((name) => [name, environment]));
  services = await startServices({ brokers: [kafka.brokers], redisUrl: redis.url }, true, all, true);
  for (const client of LOCAL_CLIENTS)
    for (const secret of [credentialOf(client), authorizationOf(client)]) secrets.set(secret, `secret of ${client}`);
  secrets.set(JSON.parse(services.signingKey).d, 'signing key');
  const sessions = signIns();
  await whatPeopleDoWith(await sessions);
  await whatNobodyShouldSend();
  for (const [name, url] of Object.entries(services.urls))
    metrics.set(name, await (await fetch(`${url}/metrics`)).text());
  await Promise.all([kafka.stop(), redis.stop()]);
  await whatPeopleDoWith(await sessions);
  for (const [name, { log }] of Object.entries(services.processes)) logs.set(name, readFileSync(log, 'utf8'));
  await services.stop();
}, 120_000);

afterAll(async () => {
  await services?.stop();
  await Promise.all([kafka?.stop(), redis?.stop()]);
  sink?.close();
  await removeDirectory(directory);
});

const at = (service: keyof Services['urls'], path: string) => `${services.urls[service]}${path}`;
const json = (as: LocalClient, service: keyof Services['urls'], path: string, body: unknown, method = 'POST') =>
  call(method, at(service, path), { as, body });

async function signIn(about: object): Promise<Answer['body']> {
  const client = { device, userAgent: plant('user agent'), ip: '203.0.113.77' };
  const { body } = await json('login', 'session-service', '/v1/sessions', { subject, client, ...about });
  return body;
}

async function signIns() {
  const bearer = await signIn({ tenant, roles: [plant('role')], acr: plant('acr'), ux: { theme: plant('ux') } });
  const cookie = issued('cookie', (await signIn({ mode: 'cookie' }))['cookie']);
  return {
    token: issued('access token', bearer['accessToken']),
    refreshToken: issued('refresh token', bearer['refreshToken']),
    sid: issued('session', bearer['sid']),
    cookie,
    cookieSid: issued('session of the cookie', sidOf(cookie)),
  };
}

/** Each request that is made for users and by clients, as it should be. */
async function whatPeopleDoWith({ token, refreshToken, sid, cookie, cookieSid }: Awaited<ReturnType<typeof signIns>>) {
  const asUser = { cookie: `${SESSION_COOKIE}=${cookie}`, 'sec-fetch-site': 'same-origin' };
  const shop = async () => {
    for (const path of ['/orders', '/payments', '/transfers'])
      for (const method of ['GET', 'POST'])
        for (const service of ['orders', 'payments'] as const) {
          await call(method, at(service, path), { token });
          await call(method, at(service, path), { headers: asUser });
        }
  };
  await signIn({});
  await shop();
  for (const shown of [token, refreshToken]) await introspect(shown);
  for (const path of [`/v1/sessions/${sid}`, `/v1/subjects/${subject}/sessions`, `/v1/subjects/${subject}/version`])
    await json('login', 'session-service', path, undefined, 'GET');
  await call('GET', at('session-service', `/v1/subjects/${subject}/sessions`), { token });
  const refreshed = await call('POST', at('session-service', '/v1/sessions/refresh'), { body: { refreshToken } });
  if (refreshed.status === 200) issued('next refresh token', refreshed.body['refreshToken']);
  await json('identity', 'identity-publisher', '/v1/roles-changed', { subject, roles: ['admin'], reason });
  const changed = await json('identity', 'identity-publisher', '/v1/password-changed', { subject, reason });
  const set = (sub_id: object) => ({
    ...{ iss: 'https://id.example.com', jti: randomUUID(), iat: 1_795_507_200, sub_id },
    events: { [`${CAEP}session-revoked`]: { reason_admin: { en: reason } } },
  });
  const id = { format: 'opaque', id: subject };
  const deviceOf = { format: 'complex', user: id, device: { format: 'opaque', id: device } };
  for (const one of [{ format: 'email', email }, deviceOf])
    await json('identity', 'identity-publisher', '/v1/account-events', set(one));
  await json('admin', 'session-service', '/v1/revocations?wait=effective&timeoutMs=2000', { sub_id: id, reason });
  for (const path of [`/${changed.body['id']}`, `?subject=${subject}&session=${cookieSid}`])
    await json('admin', 'session-service', `/v1/revocations${path}`, undefined, 'GET');
  for (const path of [`revocations?subject=${subject}`, `subjects/${subject}`, `sessions/${sid}`, `search?q=${email}`])
    await fetch(at('console', `/api/${path}`));
  await shop();
  for (const path of [`/subjects/${subject}/sessions?except=${sid}`, `/sessions/${cookieSid}`])
    await json('login', 'session-service', `/v1${path}`, undefined, 'DELETE');
}

const introspect = (token: string) =>
  fetch(at('session-service', '/oauth/introspect'), {
    method: 'POST',
    headers: { authorization: authorizationOf('login'), 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token }),
  });

/** By method. */
type Operations = Readonly<
  Record<string, { readonly parameters?: readonly { readonly name: string; readonly in: string }[] }>
>;

/** Each route with what it does not expect, in every place of a request; and a record that nobody understands. */
async function whatNobodyShouldSend(): Promise<void> {
  const basic = Buffer.from(`login:${plant('client secret')}`).toString('base64');
  secrets.set(basic, 'credential of a client');
  const authorizations = [...LOCAL_CLIENTS.map(authorizationOf), `Basic ${basic}`, `Bearer ${plant('made-up token')}`];
  const bodies = [
    JSON.stringify({ subject: plant('number') + 1, [plant('member')]: plant('value') }),
    `{"${plant('no JSON')}`,
  ];
  for (const service of Object.keys(services.urls) as (keyof Services['urls'])[]) {
    const { paths } = (await (await fetch(at(service, '/openapi.json'))).json()) as {
      paths: Record<string, Operations>;
    };
    const routes: [string, Operations][] = [...Object.entries(paths), [`/${plant('path')}`, { get: {}, post: {} }]];
    for (const [path, operations] of routes)
      for (const [method, { parameters = [] }] of Object.entries(operations))
        for (const authorization of authorizations)
          for (const body of method === 'post' || method === 'patch' ? bodies : [undefined]) {
            const query = parameters.filter((one) => one.in === 'query').map(({ name }) => `${name}=${plant('query')}`);
            const url = `${at(service, path.replaceAll(/\{\w+\}/g, plant('id')))}?${query.join('&')}`;
            await fetch(url, {
              method: method.toUpperCase(),
              headers: {
                authorization,
                cookie: `${SESSION_COOKIE}=${plant('made-up cookie')}`,
                baggage: `curfew.session=${plant('baggage')},curfew.session.version=1`,
                ...(body === undefined ? {} : { 'content-type': 'application/json' }),
              },
              ...(body === undefined ? {} : { body }),
              signal: AbortSignal.timeout(500),
            }).catch(() => {});
          }
  }
  const producer = createKafka({ brokers: [kafka.brokers], clientId: 'secrets-test' }).producer();
  await producer.connect();
  const messages = [{ key: plant('key of a record'), value: plant('value of a record') }];
  await producer.send({ topic: TOPICS.accountEvents, messages });
  await producer.disconnect();
  // Kafka ends next: whoever has not read it by then never will.
  const { log } = services.processes['session-service'];
  await vi.waitFor(() => expect(readFileSync(log, 'utf8')).toContain(KEPT_ASIDE), { timeout: 30_000 });
}

/** Which secrets a text tells, in words. */
const toldBy = (text: string) => [...secrets].filter(([secret]) => text.includes(secret)).map(([, what]) => what);

describe('whatever users, clients and strangers send', () => {
  test('no span tells a secret, and every service that has a part in the trace sent some', () => {
    const spans = sink.text();
    for (const service of ['session-service', 'identity-publisher', 'orders', 'payments'])
      expect(spans).toContain(`{"key":"service.name","value":{"stringValue":"${service}"}}`);
    for (const name of ['first rejection', 'curfew.session.version', '/v1/subjects/:sub/sessions'])
      expect(spans).toContain(`"${name}"`);
    expect(toldBy(spans)).toEqual([]);
  });

  test.each(['session-service', 'identity-publisher', 'orders', 'payments', 'console'] as const)(
    'no line of the log of %s tells a secret, and no metric does',
    (service) => {
      expect(metrics.get(service)).toContain('target_info');
      expect(toldBy(metrics.get(service) ?? '')).toEqual([]);
      expect(logs.get(service)).toContain('"msg":');
      expect(toldBy(logs.get(service) ?? '')).toEqual([]);
    },
  );

  test('what went wrong was logged all the same', () => {
    expect(logs.get('session-service')).toContain(KEPT_ASIDE);
    expect(logs.get('session-service')).toContain('store_unavailable');
    expect(logs.get('identity-publisher')).toContain('bus_unavailable');
  });
});
