import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKafkaSecurity, readRedisSecurity } from '@curfew/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authority, type Pair, signedBy } from '../../support/certificates.ts';

const directory = mkdtempSync(join(tmpdir(), 'curfew-security-'));
const SECRET = 'planted-secret';

function file(name: string, content: string): string {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
}

let ca: Pair;
let client: Pair;
const files: Record<string, string> = {};

beforeAll(async () => {
  ca = await authority();
  client = await signedBy(ca, 'orders');
  const [other, expired] = await Promise.all([signedBy(ca, 'other'), signedBy(ca, 'orders', -1)]);
  files['ca'] = file('ca.crt', ca.cert);
  files['cert'] = file('client.crt', client.cert);
  files['key'] = file('client.key', client.key);
  files['key of another'] = file('other.key', other.key);
  files['expired'] = file('expired.crt', expired.cert);
  files['key of the expired'] = file('expired.key', expired.key);
  files['password'] = file('password', `${SECRET}\n`);
  files['nothing'] = file('nothing', '\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Variables whose value is the name of a file above, where there is one. */
const environment = (of: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [`CURFEW_${name}`, files[value] ?? value]));

const SCRAM = { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_SASL_USERNAME: 'orders' };

describe('how Kafka is reached', () => {
  const read = (of: Readonly<Record<string, string>>) => readKafkaSecurity(environment(of));

  test('is without TLS and as nobody, unless it is said otherwise; an empty variable says nothing', () => {
    expect(read({})).toEqual({});
    expect(read({ KAFKA_TLS: '', KAFKA_TLS_CA_FILE: '', KAFKA_SASL_MECHANISM: '', KAFKA_SASL_PASSWORD: '' })).toEqual(
      {},
    );
    expect(read({ KAFKA_TLS: 'false' })).toEqual({});
  });

  test('is with TLS where a switch or a file says so', () => {
    expect(read({ KAFKA_TLS: 'true' })).toEqual({ tls: {} });
    expect(read({ KAFKA_TLS_CA_FILE: 'ca' })).toEqual({ tls: { ca: ca.cert } });
    expect(read({ KAFKA_TLS_CA_FILE: 'ca', KAFKA_TLS_CERT_FILE: 'cert', KAFKA_TLS_KEY_FILE: 'key' })).toEqual({
      tls: { ca: ca.cert, ...client },
    });
  });

  test.each([[{ KAFKA_SASL_PASSWORD: SECRET }], [{ KAFKA_SASL_PASSWORD_FILE: 'password' }]])(
    'is as a user with a password, given or in a file: %j',
    (password) => {
      const sasl = { mechanism: 'SCRAM-SHA-512', username: 'orders', password: SECRET };
      expect(read({ ...SCRAM, ...password })).toEqual({ sasl });
    },
  );

  test.each([
    ['CURFEW_KAFKA_TLS', { KAFKA_TLS: 'yes' }],
    ['CURFEW_KAFKA_TLS', { KAFKA_TLS: 'false', KAFKA_TLS_CA_FILE: 'ca' }],
    ['CURFEW_KAFKA_TLS_CA_FILE', { KAFKA_TLS_CA_FILE: '/nowhere/ca.crt' }],
    ['CURFEW_KAFKA_TLS_CA_FILE', { KAFKA_TLS_CA_FILE: 'password' }],
    ['CURFEW_KAFKA_TLS_KEY_FILE', { KAFKA_TLS_CERT_FILE: 'cert' }],
    ['CURFEW_KAFKA_TLS_CERT_FILE', { KAFKA_TLS_KEY_FILE: 'key' }],
    ['CURFEW_KAFKA_TLS_KEY_FILE', { KAFKA_TLS_CERT_FILE: 'cert', KAFKA_TLS_KEY_FILE: 'key of another' }],
    ['CURFEW_KAFKA_TLS_KEY_FILE', { KAFKA_TLS_CERT_FILE: 'cert', KAFKA_TLS_KEY_FILE: 'password' }],
    ['CURFEW_KAFKA_TLS_CERT_FILE', { KAFKA_TLS_CERT_FILE: 'expired', KAFKA_TLS_KEY_FILE: 'key of the expired' }],
    ['CURFEW_KAFKA_SASL_MECHANISM', { ...SCRAM, KAFKA_SASL_MECHANISM: 'GSSAPI', KAFKA_SASL_PASSWORD: SECRET }],
    ['CURFEW_KAFKA_SASL_MECHANISM', { KAFKA_SASL_USERNAME: 'orders', KAFKA_SASL_PASSWORD: SECRET }],
    ['CURFEW_KAFKA_SASL_USERNAME', { ...SCRAM, KAFKA_SASL_USERNAME: '', KAFKA_SASL_PASSWORD: SECRET }],
    ['CURFEW_KAFKA_SASL_PASSWORD_FILE', SCRAM],
    ['CURFEW_KAFKA_SASL_PASSWORD_FILE', { ...SCRAM, KAFKA_SASL_PASSWORD_FILE: 'nothing' }],
    ['CURFEW_KAFKA_SASL_PASSWORD', { ...SCRAM, KAFKA_SASL_PASSWORD_FILE: 'password', KAFKA_SASL_PASSWORD: SECRET }],
    ['CURFEW_KAFKA_TLS', { ...SCRAM, KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_PASSWORD: SECRET }],
  ])('is refused, naming %s and no secret: %j', (name, of: Readonly<Record<string, string>>) => {
    expect(() => read(of)).toThrow(
      expect.objectContaining({ code: 'option_invalid', detail: expect.stringContaining(name) }),
    );
    expect(() => read(of)).not.toThrow(SECRET);
  });
});

describe('how Redis is reached', () => {
  const read = (of: Readonly<Record<string, string>>) => readRedisSecurity(environment(of));

  test('is as its URL says, with what cannot stand there', () => {
    expect(read({ REDIS_URL: 'redis://127.0.0.1:6379' })).toEqual({});
    expect(read({ REDIS_URL: 'redis://sidecar@redis:6379', REDIS_PASSWORD_FILE: 'password' })).toEqual({
      password: SECRET,
    });
    const tls = { REDIS_TLS_CA_FILE: 'ca', REDIS_TLS_CERT_FILE: 'cert', REDIS_TLS_KEY_FILE: 'key' };
    expect(read({ REDIS_URL: 'rediss://redis:6379', ...tls })).toEqual({ tls: { ca: ca.cert, ...client } });
  });

  test.each([
    ['CURFEW_REDIS_URL', { REDIS_URL: 'redis://redis:6379', REDIS_TLS_CA_FILE: 'ca' }],
    ['CURFEW_REDIS_URL', { REDIS_URL: `redis://sidecar:${SECRET}@redis`, REDIS_PASSWORD_FILE: 'password' }],
    ['CURFEW_REDIS_PASSWORD_FILE', { REDIS_URL: 'redis://sidecar@redis', REDIS_PASSWORD_FILE: '/nowhere' }],
    ['CURFEW_REDIS_TLS_KEY_FILE', { REDIS_URL: 'rediss://redis', REDIS_TLS_CERT_FILE: 'cert' }],
  ])('is refused, naming %s and no secret: %j', (name, of: Readonly<Record<string, string>>) => {
    expect(() => read(of)).toThrow(
      expect.objectContaining({ code: 'option_invalid', detail: expect.stringContaining(name) }),
    );
    expect(() => read(of)).not.toThrow(SECRET);
  });
});
