import { expect, test } from 'vitest';
import { localClients } from '../../../infra/local/clients.mjs';
import { readIdentityPublisherConfig } from '../../../services/identity-publisher/src/config.ts';

const read = (environment: NodeJS.ProcessEnv) =>
  readIdentityPublisherConfig({ CURFEW_CLIENTS: localClients(), ...environment });

test('the local stack is the default for everything but the clients', () => {
  const { access, ...rest } = read({});
  expect(rest).toEqual({
    kafka: { brokers: ['127.0.0.1:19092'] },
    issuer: 'http://127.0.0.1:7001',
    host: '127.0.0.1',
    port: 7002,
  });
  expect(access.audience).toBe('identity-publisher');
});

test.each(['CURFEW_KAFKA_BROKERS', 'CURFEW_CLIENTS'])('a bad %s is refused by name', (name) => {
  expect(() => read({ [name]: '' })).toThrow(
    expect.objectContaining({ code: 'option_invalid', detail: expect.stringContaining(name) }),
  );
});
