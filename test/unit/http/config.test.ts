import { ENV, listOf, readConfig } from '@curfew/http';
import { Type } from 'typebox';
import { describe, expect, test } from 'vitest';

const SCHEMA = Type.Object({
  CURFEW_REDIS_URL: ENV.redisUrl,
  CURFEW_SIGNING_KEY: Type.String({ minLength: 1 }),
  PORT: ENV.port(7001),
});

describe("a service's environment", () => {
  test('is read with its defaults, and nothing else of it', () => {
    expect(readConfig(SCHEMA, { CURFEW_SIGNING_KEY: 'key', PORT: '7100', HOME: '/root' })).toEqual({
      CURFEW_REDIS_URL: 'redis://127.0.0.1:16379',
      CURFEW_SIGNING_KEY: 'key',
      PORT: 7100,
    });
  });

  test.each([
    ['PORT', { PORT: 'http' }],
    ['PORT', { PORT: '65536' }],
    ['CURFEW_REDIS_URL', { CURFEW_REDIS_URL: 'localhost' }],
    ['CURFEW_REDIS_URL', { CURFEW_REDIS_URL: 'redis://a:1,b:2' }],
    ['CURFEW_SIGNING_KEY', { CURFEW_SIGNING_KEY: '' }],
    ['CURFEW_SIGNING_KEY', { CURFEW_SIGNING_KEY: undefined }],
  ])('with a bad %s is refused by name: %j', (name, bad) => {
    expect(() => readConfig(SCHEMA, { CURFEW_SIGNING_KEY: 'key', ...bad })).toThrow(
      expect.objectContaining({ code: 'option_invalid', detail: expect.stringContaining(name) }),
    );
  });

  test('may name a cluster of Redis', () => {
    const urls = 'redis://10.0.0.1:6379,redis://10.0.0.2:6379';
    expect(readConfig(SCHEMA, { CURFEW_SIGNING_KEY: 'key', CURFEW_REDIS_URL: urls }).CURFEW_REDIS_URL).toBe(urls);
  });

  test('lists brokers between commas', () => {
    expect(listOf(' a:1, b:2,,')).toEqual(['a:1', 'b:2']);
  });
});
