import { ACCESS_ENV, readAccess, readConfig } from '@curfew/http';
import { Type } from 'typebox';
import { describe, expect, test } from 'vitest';
import { localClients } from '../../../../infra/local/clients.mjs';

const read = (environment: NodeJS.ProcessEnv) =>
  readAccess(
    readConfig(Type.Object(ACCESS_ENV), { CURFEW_CLIENTS: localClients(), ...environment }),
    'session-service',
  );

describe('who may call a service', () => {
  test('has a default for everything but the clients', () => {
    const { clients, ...rest } = read({});
    expect([...clients.byId.keys()]).toEqual(['login', 'admin', 'identity', 'console', 'operator']);
    expect(rest).toEqual({
      audience: 'session-service',
      limits: { client: 1000, address: 1000 },
      trustedProxies: [],
      tls: undefined,
    });
  });

  test('is as the environment says', () => {
    const environment = {
      CURFEW_ASSERTION_AUDIENCE: 'https://sessions.example.com',
      CURFEW_CLIENT_RATE_LIMIT: '5',
      CURFEW_ADDRESS_RATE_LIMIT: '7',
      CURFEW_TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.1',
    };
    expect(read(environment)).toMatchObject({
      audience: 'https://sessions.example.com',
      limits: { client: 5, address: 7 },
      trustedProxies: ['10.0.0.0/8', '127.0.0.1'],
    });
  });

  test.each([
    ['CURFEW_CLIENTS', { CURFEW_CLIENTS: undefined }],
    ['CURFEW_CLIENTS', { CURFEW_CLIENTS: '[]' }],
    ['CURFEW_CLIENT_RATE_LIMIT', { CURFEW_CLIENT_RATE_LIMIT: '0' }],
    ['CURFEW_TRUSTED_PROXIES', { CURFEW_TRUSTED_PROXIES: '10.0.0.0/8,proxy.internal' }],
    ['CURFEW_TRUSTED_PROXIES', { CURFEW_TRUSTED_PROXIES: '10.0.0.0/99' }],
    ['CURFEW_TLS_CERT_FILE', { CURFEW_TLS_CERT_FILE: '/nowhere/server.crt' }],
    ['CURFEW_TLS_CERT_FILE', { CURFEW_TLS_KEY_FILE: import.meta.filename }],
    ['CURFEW_TLS_KEY_FILE', { CURFEW_TLS_CLIENT_CA_FILE: import.meta.filename }],
  ])('is refused, naming %s: %j', (name, environment) => {
    expect(() => read(environment)).toThrow(
      expect.objectContaining({ code: 'option_invalid', detail: expect.stringContaining(name) }),
    );
  });
});
