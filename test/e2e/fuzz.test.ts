import { setTimeout as sleep } from 'node:timers/promises';
import { ERRORS } from '@curfew/contracts';
import fc, { type Arbitrary } from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { authorizationOf, type LocalClient } from '../../infra/local/clients.mjs';
import { call } from '../support/client.ts';
import { jsonOf, type Schema, spoiled, valuesOf } from '../support/schema-arbitrary.ts';
import { type Services, startServices } from '../support/services.ts';

/** Requests to each route. A longer run: `CURFEW_FUZZ_RUNS=5000`; the same again: `CURFEW_FUZZ_SEED`, as a failure says. */
const RUNS = Number(process.env['CURFEW_FUZZ_RUNS'] ?? 60);
const SEED = Number(process.env['CURFEW_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const FORM = 'application/x-www-form-urlencoded';
const MARK = 'of-the-fuzz';

const CLIENT_OF_SCOPE: Readonly<Record<string, LocalClient>> = {
  'sessions:read': 'login',
  'sessions:write': 'login',
  'revocations:write': 'admin',
  'events:write': 'identity',
};

interface Operation {
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly { readonly name: string; readonly in: 'path' | 'query'; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface Fuzzed {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string | Buffer | undefined;
}

let services: Services;

beforeAll(async () => {
  const limits = { CURFEW_CLIENT_RATE_LIMIT: '1000000', CURFEW_ADDRESS_RATE_LIMIT: '1000000' };
  services = await startServices(inject('stack'), true, { 'session-service': limits, 'identity-publisher': limits });
});
afterAll(() => services?.stop());

/** What means something to the services: the names of an account and a tenant, ids, handles and tokens of sessions. */
async function knownTexts(): Promise<readonly string[]> {
  const names = { subject: `alice-${MARK}`, tenant: `acme-${MARK}` };
  const sessions = await Promise.all(
    ['bearer', 'bearer', 'cookie', 'cookie'].map((mode) =>
      call('POST', `${services.urls['session-service']}/v1/sessions`, { as: 'login', body: { ...names, mode } }),
    ),
  );
  const texts = sessions.flatMap(({ body: { sid, accessToken, refreshToken, cookie } }) => [
    sid,
    accessToken,
    refreshToken,
    cookie,
  ]);
  return [...Object.values(names), ...texts.filter((text) => typeof text === 'string')];
}

/** Sound account events, so that what is behind the first check is reached too; about nobody but the fuzz's own. */
const account = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => `${text.toWellFormed()}${MARK}`);
const simpleId = account.map((id) => ({ format: 'opaque', id }));
const subjectId = fc.oneof(
  simpleId,
  account.map((sub) => ({ format: 'iss_sub', iss: 'https://id.example', sub })),
  fc
    .record({ user: simpleId, session: simpleId, device: simpleId, tenant: simpleId }, { requiredKeys: ['user'] })
    .map((members) => ({ format: 'complex', ...members })),
);
const EVENT_TYPES = ['session-revoked', 'credential-change', 'token-claims-change', 'device-compliance-change'];
const eventMembers = fc.dictionary(
  fc.constantFrom('claims', 'change_type', 'current_status', 'except_session', 'reason_admin', 'event_timestamp'),
  fc.jsonValue(),
);
const securityEvent = fc.record({
  iss: fc.constant('https://id.example'),
  jti: fc.uuid(),
  iat: fc.nat(),
  sub_id: subjectId,
  events: fc
    .tuple(fc.constantFrom(...EVENT_TYPES), eventMembers)
    .map(([type, members]) => ({ [`https://schemas.openid.net/secevent/caep/event-type/${type}`]: members })),
});

/** Schemas that say less than the route wants. */
const bodiesOf = (path: string, schema: Schema, texts: Arbitrary<string>): Arbitrary<unknown> => {
  const plain = valuesOf(schema, texts);
  if (path === '/v1/account-events') return fc.oneof(plain, securityEvent);
  if (path === '/v1/revocations') return fc.oneof(plain, fc.record({ sub_id: subjectId }));
  return plain;
};

function textOf(contentType: string, body: unknown): string {
  if (contentType !== FORM) return jsonOf(body);
  const fields = Object.entries(body !== null && typeof body === 'object' ? body : { token: body });
  return fields
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const text = typeof value === 'string' ? value : jsonOf(value);
      return `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(String(text).toWellFormed())}`;
    })
    .join('&');
}

const mostly = <T>(usual: Arbitrary<T>, ...others: Arbitrary<T>[]) =>
  fc.oneof({ arbitrary: usual, weight: 4 * others.length }, ...others);

const BROKEN: readonly ((text: string) => string | Buffer)[] = [
  (text) => text.slice(0, Math.floor(text.length / 2)),
  (text) => `${text}${text}`,
  (text) => `\ufeff${text}`,
  (text) => `${text.slice(0, -1)},"subject":"again"}`,
  () => '',
  () => '['.repeat(30_000),
  () => '{"a":'.repeat(12_000),
  () => `{"subject":"${'x'.repeat(70_000)}"}`,
  () => Buffer.from([0xff, 0xfe, 0x00, 0x22]),
  (text) => Buffer.from(text, 'utf16le'),
];

function requestsTo(
  path: string,
  { security = [], parameters = [], requestBody }: Operation,
  texts: Arbitrary<string>,
): Arbitrary<Fuzzed> {
  const scope = Object.values(security[0] ?? {})[0]?.[0];
  const client = scope === undefined ? undefined : CLIENT_OF_SCOPE[scope];
  const authorization = mostly<string | undefined>(
    fc.constant(client && authorizationOf(client)),
    fc.constant(undefined),
    fc.oneof(texts, fc.base64String()).map((token) => `Bearer ${token}`),
    fc.base64String().map((secret) => `Basic ${secret}`),
    fc.constantFrom('Basic', 'Bearer ', 'Digest x', 'Basic Og==', 'Bearer a.b.c', 'Bearer e30.e30.'),
  );

  const encoded = (value: unknown) => encodeURIComponent(String(value).toWellFormed());
  const filled = fc
    .tuple(...parameters.map(({ schema }) => mostly(valuesOf(schema, texts), spoiled(valuesOf(schema, texts)))))
    .map((values) => {
      let url = path;
      const query: string[] = [];
      for (const [i, { name, in: where }] of parameters.entries()) {
        if (where === 'path') url = url.replace(`{${name}}`, encoded(values[i]));
        else query.push(`${name}=${encoded(values[i])}`);
      }
      return query.length > 0 ? `${url}?${query.join('&')}` : url;
    });
  const url = mostly(
    filled,
    filled.map((one) => `${one}${one.includes('?') ? '&' : '?'}except=a&except=b&__proto__=x`),
    fc.constantFrom('%zz', '%00', '%ff', '..%2f..', 'x'.repeat(3000)).map((one) => path.replace(/\{\w+\}/, one)),
  );

  const [contentType, content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (contentType === undefined || content === undefined)
    return fc.record({
      path: url,
      authorization,
      contentType: fc.constant(undefined),
      body: fc.constant(undefined),
    });
  const values = bodiesOf(path, content.schema, texts);
  const written = fc.oneof(values, spoiled(values), spoiled(spoiled(values))).map((body) => textOf(contentType, body));
  return fc.record({
    path: url,
    authorization,
    contentType: mostly<string | undefined>(
      fc.constant(contentType),
      fc.constantFrom(undefined, 'text/plain', 'application/xml', 'application/json; charset=utf-16', FORM, 'x', '/'),
    ),
    body: mostly<string | Buffer>(
      written,
      fc.tuple(written, fc.constantFrom(...BROKEN)).map(([text, breakIt]) => breakIt(text)),
    ),
  });
}

async function ask(url: string, method: string, { authorization, contentType, body }: Fuzzed) {
  const headers = {
    ...(authorization === undefined ? {} : { authorization }),
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
  };
  const reply = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  return { status: reply.status, type: reply.headers.get('content-type'), text: await reply.text() };
}

/** What is wrong with an answer; undefined: nothing. */
function wrongWith({ status, type, text }: Awaited<ReturnType<typeof ask>>): string | undefined {
  const body = JSON.parse(text);
  if (status < 400) return undefined;
  if (!type?.startsWith('application/problem+json')) return `${status} is no problem but ${type}`;
  const error = ERRORS[body.code as keyof typeof ERRORS];
  if (error?.status !== status || body.status !== status) return `${status} has the code ${body.code}`;
  // Whoever waits for an event that never comes is told so.
  return status < 500 || status === 503 || body.code === 'not_applied_yet' ? undefined : `${status} ${body.code}`;
}

describe.each(['session-service', 'identity-publisher'] as const)('the %s, asked anything', (service) => {
  test('answers by a problem of the table, and by no 5xx but 503', { timeout: 30_000 + RUNS * 1000 }, async () => {
    const url = services.urls[service];
    const { paths } = (await call('GET', `${url}/openapi.json`)).body as {
      paths: Record<string, Record<string, Operation>>;
    };
    const statuses = new Map<number, number>();
    for (const [path, operations] of Object.entries(paths))
      for (const [method, operation] of Object.entries(operations)) {
        const texts = fc.constantFrom(...(await knownTexts()));
        const property = fc.asyncProperty(requestsTo(path, operation, texts), async (request) => {
          const send = () => ask(`${url}${request.path}`, method.toUpperCase(), request);
          let answer = await send();
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          // The bound may be lost for a moment; what is answered so for long, the request itself is the cause of.
          for (let again = 0; answer.status === 503 && again < 5; again++) {
            await sleep(500);
            answer = await send();
          }
          const wrong = answer.status === 503 ? `503 for long: ${answer.text}` : wrongWith(answer);
          if (wrong !== undefined) throw new Error(`${method} ${path}: ${wrong}`);
        });
        await fc.assert(property, { numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: 20_000 + RUNS * 500 });
      }
    expect((await call('GET', `${url}/healthz`)).status).toBe(200);
    expect((await call('GET', `${url}/readyz`)).status).toBe(200);
    // Neither everything nor nothing is refused.
    for (const status of service === 'session-service' ? [200, 202, 400, 401, 404, 413, 415] : [202, 400, 401])
      expect(statuses.get(status) ?? 0, `${status} among ${JSON.stringify([...statuses])}`).toBeGreaterThan(0);
  });
});

test('afterwards account events are applied as ever', async () => {
  const subject = `bob-${MARK}`;
  const { body } = await call('POST', `${services.urls['session-service']}/v1/sessions`, {
    as: 'login',
    body: { subject },
  });
  const ask = async () =>
    (await call('GET', `${services.urls.payments}/payments`, { token: String(body['accessToken']) })).body['code'];
  expect(await ask()).toBeUndefined();
  await call('POST', `${services.urls['identity-publisher']}/v1/password-changed`, {
    as: 'identity',
    body: { subject },
  });
  await expect.poll(ask, { timeout: 5000 }).toBe('session_revoked');
});
