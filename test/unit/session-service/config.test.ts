import { describe, expect, test } from 'vitest';
import { readSessionServiceConfig } from '../../../services/session-service/src/config.ts';

const read = (environment: NodeJS.ProcessEnv) => readSessionServiceConfig({ CURFEW_SIGNING_KEY: '{}', ...environment });

describe('the session service’s environment', () => {
  test('has a default for everything but the signing key', () => {
    expect(read({})).toMatchObject({ brokers: ['127.0.0.1:19092'], partitions: 12, effectRules: [], port: 7001 });
    expect(() => readSessionServiceConfig({})).toThrow('CURFEW_SIGNING_KEY');
  });

  test('takes effect rules that come before Curfew’s own', () => {
    const rule = { type: 'https://example.com/breach', raise: 'floor' };
    expect(read({ CURFEW_EFFECT_RULES: JSON.stringify([rule]) }).effectRules).toEqual([rule]);
  });

  test.each([
    ['CURFEW_PARTITIONS', '0'],
    ['CURFEW_PARTITIONS', 'twelve'],
    ['CURFEW_REDIS_URL', 'http://127.0.0.1'],
    ['CURFEW_EFFECT_RULES', '{'],
    ['CURFEW_EFFECT_RULES', '[{"type":"x","raise":"roof"}]'],
    ['CURFEW_VERSION_TTL_MS', '1000'],
    ['PORT', '99999'],
  ])('refuses %s=%s, naming it', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'option_invalid', message: expect.stringContaining(name) }),
    );
  });
});
