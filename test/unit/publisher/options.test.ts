import { createPublisher, type PublisherOptions } from '@curfew/publisher';
import { expect, test } from 'vitest';

const good: PublisherOptions = { brokers: ['127.0.0.1:9092'], issuer: 'https://id.example.com' };

test.each<[string, Partial<Record<keyof PublisherOptions, unknown>>]>([
  ['brokers', { brokers: [] }],
  ['brokers', { brokers: '127.0.0.1:9092' }],
  ['brokers', { brokers: ['127.0.0.1'] }],
  ['issuer', { issuer: '' }],
  ['clientId', { clientId: 7 }],
  ['partitions', { partitions: 0 }],
  ['partitions', { partitions: 1.5 }],
  ['tls', { tls: { cert: 'x', key: 'x' } }],
  ['sasl.mechanism', { sasl: { mechanism: 'none', username: 'a', password: 'b' } }],
  ['sasl.password', { sasl: { mechanism: 'plain', username: 'a' } }],
  ['publishTimeoutMs', { publishTimeoutMs: 0 }],
  ['publishTimeoutMs', { publishTimeoutMs: '5s' }],
  ['publishTimeoutMs', { publishTimeoutMs: 2 ** 31 }],
])('a bad value of %s is refused by name: %j', (name, bad) => {
  expect(() => createPublisher({ ...good, ...bad } as PublisherOptions)).toThrow(
    expect.objectContaining({ code: 'option_invalid', detail: expect.stringContaining(name) }),
  );
});

test('a publisher that is created connects to nothing', () => {
  expect(createPublisher(good).notReady()).toEqual(['start() was not called']);
});
