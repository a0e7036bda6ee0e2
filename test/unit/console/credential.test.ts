import { createHash } from 'node:crypto';
import { createApp, readClients } from '@curfew/http';
import { afterAll, describe, expect, test } from 'vitest';
import { authorizationOf } from '../../../services/console/page/credential.js';
import { SessionService } from '../../../services/console/src/session-service.ts';
import { accessOf } from '../../support/access.ts';

const CREDENTIALS = [
  'operator:a-secret-of-plain-characters',
  'night.shift:base64+with/a+plus+in+it==',
  'percent:100%25-of-it-and-%-alone',
  'other:ä secret: of more than 128 bits',
];
const halves = (credential: string) => [credential.split(':')[0] ?? '', credential.slice(credential.indexOf(':') + 1)];
const clients = CREDENTIALS.map(halves).map(([id, secret = '']) => ({
  id,
  scopes: ['sessions:read'],
  secretSha256: createHash('sha256').update(secret).digest('base64url'),
}));
const access = accessOf({ clients: readClients(JSON.stringify(clients)) });
const app = await createApp({ name: 'session-service', logLevel: 'silent', notReady: () => [], access });
app.get('/who', { config: { scope: 'sessions:read' } }, ({ caller }) => caller);
const url = await app.listen({ port: 0, host: '127.0.0.1' });
afterAll(() => app.close());

describe.each(CREDENTIALS)('%s', (credential) => {
  const [client] = halves(credential);

  test('lets the console itself in', async () => {
    expect(await new SessionService({ urls: [url], credential }).read('/who')).toEqual({ client });
  });

  test('lets in an operator who writes it on the page', async () => {
    const answer = await app.inject({ url: '/who', headers: { authorization: authorizationOf(credential) } });
    expect(answer.json()).toEqual({ client });
  });
});

test('a client assertion goes on as it is', () => {
  expect(authorizationOf('e30.e30.c2ln')).toBe('Bearer e30.e30.c2ln');
});
