import { describe, expect, test } from 'vitest';
import { localClients } from '../../../infra/local/clients.mjs';
import { readSessionServiceConfig } from '../../../services/session-service/src/config.ts';

const SECRETS = { CURFEW_SIGNING_KEY: '{}', CURFEW_REFRESH_KEYS: 'a'.repeat(43), CURFEW_CLIENTS: localClients() };
const read = (environment: NodeJS.ProcessEnv) => readSessionServiceConfig({ ...SECRETS, ...environment });

describe('the session service’s environment', () => {
  test('has a default for everything but the secrets', () => {
    expect(read({})).toMatchObject({
      kafka: { brokers: ['127.0.0.1:19092'] },
      partitions: 12,
      effectRules: [],
      port: 7001,
    });
    for (const name of Object.keys(SECRETS)) expect(() => read({ [name]: undefined })).toThrow(name);
  });

  test('takes the signing keys from one place alone', () => {
    expect(() => read({ CURFEW_SIGNING_KEY_FILE: 'keys.json' })).toThrow('CURFEW_SIGNING_KEY_FILE');
    expect(read({ CURFEW_SIGNING_KEY: '', CURFEW_SIGNING_KEY_FILE: 'keys.json' }).signingKeyFile).toBe('keys.json');
  });

  test('takes lifetimes that differ from the usual, of one tier or more', () => {
    const { lifetimes } = read({ CURFEW_TIERS: '{"browse":{"idleMs":600000}}' });
    expect(lifetimes.browse).toEqual({ idleMs: 600_000, absoluteMs: 86_400_000 });
    expect(lifetimes.payment).toEqual({ idleMs: 900_000, absoluteMs: 3_600_000 });
    const shortest = { idleMs: 180_000, absoluteMs: 180_000 };
    expect(read({ CURFEW_TIERS: JSON.stringify({ payment: shortest }) }).lifetimes.payment).toEqual(shortest);
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
    ['CURFEW_REFRESH_KEYS', 'c2hvcnQ'],
    ['CURFEW_REFRESH_KEYS', `${'a'.repeat(43)},`],
    ['CURFEW_REFRESH_KEYS', '+'.repeat(43)],
    ['CURFEW_TIERS', '{'],
    ['CURFEW_TIERS', '{"gold":{}}'],
    ['CURFEW_TIERS', '{"browse":{"idleMs":90000000}}'],
    ['CURFEW_TIERS', '{"browse":{"idleMs":179999}}'],
    ['CURFEW_TIERS', '{"browse":{"idleMs":180000,"absoluteMs":179999}}'],
    ['CURFEW_REUSE_GRACE_MS', '999'],
    ['CURFEW_SESSION_LIMIT_RULE', 'perhaps'],
    ['CURFEW_CANARY_INTERVAL_MS', '-1'],
    ['PORT', '99999'],
  ])('refuses %s=%s, naming it', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'option_invalid', message: expect.stringContaining(name) }),
    );
  });
});
