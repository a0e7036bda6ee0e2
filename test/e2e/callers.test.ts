import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { LocalClient } from '../../infra/local/clients.mjs';
import { call, inWords } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

const body = { subject: 'alice-of-the-callers' };

/** Routes of both services, and one of the local stack's clients that lacks the scope of each. */
const ROUTES = [
  ['session-service', 'POST', '/v1/sessions', 'admin'],
  ['session-service', 'GET', '/v1/sessions/no-such-session', 'identity'],
  ['session-service', 'DELETE', '/v1/sessions/no-such-session', 'admin'],
  ['session-service', 'PATCH', '/v1/sessions/no-such-session', 'admin'],
  ['session-service', 'POST', '/v1/sessions/reauthenticate', 'admin'],
  ['session-service', 'GET', '/v1/subjects/alice/version', 'identity'],
  ['session-service', 'GET', '/v1/subjects/alice/sessions', 'identity'],
  ['session-service', 'DELETE', '/v1/subjects/alice/sessions', 'admin'],
  ['session-service', 'POST', '/v1/revocations', 'login'],
  ['identity-publisher', 'POST', '/v1/account-events', 'login'],
  ['identity-publisher', 'POST', '/v1/password-changed', 'login'],
  ['identity-publisher', 'POST', '/v1/account-disabled', 'admin'],
  ['identity-publisher', 'POST', '/v1/account-enabled', 'login'],
  ['identity-publisher', 'POST', '/v1/roles-changed', 'admin'],
] as const;

let services: Services;
beforeAll(async () => {
  services = await startServices(inject('stack'));
});
afterAll(() => services?.stop());

const ask = (service: keyof Services['urls'], method: string, path: string, as?: LocalClient) =>
  call(method, `${services.urls[service]}${path}`, {
    ...(as === undefined ? {} : { as }),
    ...(method === 'POST' ? { body } : {}),
  });

describe.each(ROUTES)('%s, %s %s', (service, method, path, other) => {
  test('is refused without a credential, and to a client without the scope', async () => {
    const refused = await ask(service, method, path);
    expect(inWords(refused)).toBe('401 client_unauthenticated');
    expect(refused.headers.get('www-authenticate')).toBe('Basic realm="curfew", Bearer');
    expect(inWords(await ask(service, method, path, other))).toBe('403 scope_insufficient');
  });
});

test('whoever has the scope is served, and what was refused has changed nothing', async () => {
  expect((await ask('session-service', 'POST', '/v1/sessions', 'login')).status).toBe(201);
  const { body: version } = await ask('session-service', 'GET', `/v1/subjects/${body.subject}/version`, 'admin');
  expect(version).toEqual({ subject: body.subject, current: 0, floor: 0, blocked: false });
  expect((await ask('identity-publisher', 'POST', '/v1/password-changed', 'identity')).status).toBe(202);
});

test('the keys, a refresh and the health want no credential', async () => {
  const { 'session-service': sessions, 'identity-publisher': identity } = services.urls;
  expect((await call('GET', `${sessions}/.well-known/jwks.json`)).status).toBe(200);
  const refused = await call('POST', `${sessions}/v1/sessions/refresh`, { body: { refreshToken: 'x' } });
  expect(inWords(refused)).toBe('401 refresh_token_invalid');
  for (const url of [sessions, identity])
    for (const path of ['/healthz', '/readyz', '/openapi.json'])
      expect((await call('GET', `${url}${path}`)).status, path).toBe(200);
});
