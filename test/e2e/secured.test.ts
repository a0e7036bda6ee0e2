import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { credentialOf } from '../../infra/local/clients.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { playScenario } from '../../infra/local/scenario.mjs';
import { signedBy } from '../support/certificates.ts';
import { curfew } from '../support/command.ts';
import { type KafkaUser, type SecuredKafka, startSecuredKafka } from '../support/secured-kafka.ts';
import { type RedisUser, type SecuredRedis, startSecuredRedis } from '../support/secured-redis.ts';
import { type Services, startServices } from '../support/services.ts';

const directory = mkdtempSync(join(tmpdir(), 'curfew-secured-'));
const WRONG = 'planted-wrong-password';
let kafka: SecuredKafka;
let redis: SecuredRedis;
/** Each part as its own user: to Kafka orders by a password, the others by a certificate; to Redis all by both. */
let services: Services;
/** Parts as users who are not theirs. */
let misled: Services;
const passwords = new Set([WRONG]);

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), `${text}\n`);
  return join(directory, name);
}

/** The variables of a part, with secrets in files. */
function kafkaEnvironment(user: KafkaUser, password = kafka.as(user).sasl.password): Record<string, string> {
  passwords.add(password);
  return {
    CURFEW_KAFKA_BROKERS: kafka.as(user).brokers.join(','),
    CURFEW_KAFKA_TLS_CA_FILE: file('kafka-ca.pem', kafka.ca.cert),
    CURFEW_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-256',
    CURFEW_KAFKA_SASL_USERNAME: user,
    CURFEW_KAFKA_SASL_PASSWORD_FILE: file(`kafka-${user}-${password.length}`, password),
  };
}

function redisEnvironment(user: RedisUser, password = redis.as(user).security.password ?? ''): Record<string, string> {
  passwords.add(password).add(encodeURIComponent(password));
  return {
    CURFEW_REDIS_URL: redis.as(user).url,
    CURFEW_REDIS_TLS_CA_FILE: file('redis-ca.pem', redis.ca.cert),
    CURFEW_REDIS_PASSWORD_FILE: file(`redis-${user}-${password.length}`, password),
  };
}

/** With a certificate in the place of the password. */
async function kafkaCertificate(user: KafkaUser): Promise<Record<string, string>> {
  const { cert, key } = await signedBy(kafka.ca, user);
  return {
    CURFEW_KAFKA_BROKERS: kafka.withCertificate({}).brokers.join(','),
    CURFEW_KAFKA_TLS_CA_FILE: file('kafka-ca.pem', kafka.ca.cert),
    CURFEW_KAFKA_TLS_CERT_FILE: file(`kafka-${user}.crt`, cert),
    CURFEW_KAFKA_TLS_KEY_FILE: file(`kafka-${user}.key`, key),
  };
}

/** Redis takes no user from a certificate: it asks for the password too. */
async function redisCertificate(user: RedisUser): Promise<Record<string, string>> {
  const { cert, key } = await signedBy(redis.ca, user);
  return {
    ...redisEnvironment(user),
    CURFEW_REDIS_URL: redis.withCertificate({}, user).url,
    CURFEW_REDIS_TLS_CERT_FILE: file(`redis-${user}.crt`, cert),
    CURFEW_REDIS_TLS_KEY_FILE: file(`redis-${user}.key`, key),
  };
}

beforeAll(async () => {
  for (const name of ['kafka-server', 'redis-server']) mkdirSync(join(directory, name));
  [kafka, redis] = await Promise.all([
    startSecuredKafka(join(directory, 'kafka-server')),
    startSecuredRedis(join(directory, 'redis-server')),
  ]);
  const stack = { brokers: kafka.as('nobody').brokers, redisUrl: redis.as('sidecar').url };
  const toRedis = await redisCertificate('sidecar-cookies');
  services = await startServices(stack, true, {
    'session-service': {
      ...(await kafkaCertificate('session-service')),
      ...(await redisCertificate('session-service')),
    },
    'identity-publisher': await kafkaCertificate('identity-publisher'),
    orders: { ...kafkaEnvironment('sidecar'), ...toRedis },
    payments: { ...(await kafkaCertificate('sidecar')), ...toRedis },
  });
  misled = await startServices(stack, false, {
    'session-service': { ...kafkaEnvironment('sidecar'), ...redisEnvironment('sidecar') },
    'identity-publisher': kafkaEnvironment('identity-publisher', WRONG),
    orders: { ...kafkaEnvironment('sidecar', WRONG), ...redisEnvironment('sidecar', WRONG) },
    payments: { ...kafkaEnvironment('sidecar'), ...redisEnvironment('operator') },
  });
}, 120_000);

afterAll(async () => {
  await Promise.all([services?.stop(), misled?.stop()]);
  await Promise.all([kafka?.stop(), redis?.stop()]);
  await removeDirectory(directory);
});

describe('with TLS, passwords, certificates and rights at Kafka and at Redis', () => {
  test('the whole scenario passes, each part with the rights that are its own', async () => {
    const {
      'session-service': sessionService,
      'identity-publisher': identityPublisher,
      orders,
      payments,
    } = services.urls;
    const urls = { sessionService, identityPublisher, orders, payments };
    const steps = await playScenario({ urls, subjectOf: (person) => `${person}-of-the-secured` });
    expect(steps.flatMap(({ title, failure }) => (failure === undefined ? [] : [{ title, failure }]))).toEqual([]);
    expect(steps).toHaveLength(16);
  });

  test.each([
    ['a password', () => ({ ...kafkaEnvironment('operator'), ...redisEnvironment('operator') })],
    [
      'a certificate',
      async () => ({ ...(await kafkaCertificate('operator')), ...(await redisCertificate('operator')) }),
    ],
  ])('the operator’s command examines them by %s, and finds nothing wrong', async (_, operator) => {
    const env = {
      ...(await operator()),
      CURFEW_SESSION_SERVICE_URL: services.urls['session-service'],
      CURFEW_CREDENTIAL: credentialOf('operator'),
    };
    const { stdout } = await curfew(['doctor', '--json'], { env });
    const { findings } = JSON.parse(stdout) as { findings: { part: string; level: string }[] };
    expect(findings.map(({ part }) => part)).toEqual(expect.arrayContaining(['kafka', 'redis', 'session-service']));
    expect(findings.filter(({ level }) => level === 'unreachable')).toEqual([]);
  });

  test('the operator’s command with a wrong password says so, and does not tell it', async () => {
    const env = { ...kafkaEnvironment('operator'), ...redisEnvironment('operator', WRONG) };
    const { stdout, stderr } = await curfew(['doctor', '--json'], { env });
    expect(stdout).toContain('"credentials_refused"');
    expect(stdout + stderr).not.toContain(WRONG);
  });
});

describe('a part as a user who is not its own', () => {
  const readiness = async (name: keyof Services['urls']) =>
    (await (await fetch(`${misled.urls[name]}/readyz`)).json()) as { status: number; detail: string };
  const logOf = (name: keyof Services['urls']) => readFileSync(misled.processes[name].log, 'utf8');
  const WAIT = { timeout: 20_000, interval: 100 };

  test.each([
    ['session-service', 'right_missing'],
    ['identity-publisher', 'credentials_refused'],
    ['orders', 'credentials_refused'],
  ] as const)('%s is not ready, for %s, and logs it', async (name, reason) => {
    await vi.waitFor(async () => expect((await readiness(name)).detail).toContain(`Kafka: ${reason}`), WAIT);
    await vi.waitFor(() => expect(logOf(name)).toContain(`Kafka: ${reason}`), WAIT);
  });

  test('orders, whose Redis refuses its password, says that too', async () => {
    expect((await readiness('orders')).detail).toContain('Redis: credentials_refused');
    expect(logOf('orders')).toContain('Redis: credentials_refused');
  });

  test('payments, whose user may read no versions, works from memory and logs that it may not', async () => {
    await vi.waitFor(() => expect(logOf('payments')).toContain('Redis: right_missing'), WAIT);
    await vi.waitFor(async () => expect(await readiness('payments')).toEqual({ status: 'ready' }), WAIT);
  });
});

test('no log tells a password', () => {
  const logs = [services, misled].flatMap(({ processes }) =>
    Object.values(processes).map(({ log }) => readFileSync(log, 'utf8')),
  );
  expect(passwords.size).toBeGreaterThan(6);
  for (const log of logs) for (const password of passwords) expect(log).not.toContain(password);
});
