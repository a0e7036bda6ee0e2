import { expect, test } from 'vitest';
import { readIdentityPublisherConfig } from '../../../services/identity-publisher/src/config.ts';

test('the local stack is the default', () => {
  expect(readIdentityPublisherConfig({})).toEqual({
    brokers: ['127.0.0.1:19092'],
    issuer: 'http://127.0.0.1:7001',
    host: '127.0.0.1',
    port: 7002,
  });
});

test('a bad variable is refused by name', () => {
  expect(() => readIdentityPublisherConfig({ CURFEW_KAFKA_BROKERS: '' })).toThrow(
    expect.objectContaining({ code: 'option_invalid', detail: expect.stringContaining('CURFEW_KAFKA_BROKERS') }),
  );
});
