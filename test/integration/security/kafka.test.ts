import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  type CurfewError,
  decodeReceipt,
  EFFECT_RULES,
  encodeVersionRecord,
  type KafkaConnection,
  kafkaRefusal,
  partitionOf,
  type RefusalCode,
  type Sasl,
  subjectScope,
  TOPICS,
} from '@curfew/contracts';
import { createKafka, createPublisher } from '@curfew/publisher';
import { sessionVersions } from '@curfew/replica';
import { createSidecar, type Sidecar } from '@curfew/sidecar';
import { KafkaTopicReader } from '@curfew/sidecar/topic-reader';
import type { Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { removeDirectory } from '../../../infra/local/remove-directory.mjs';
import { readReceipts, readVersions } from '../../../libs/cli/src/kafka-log.ts';
import { readAnnouncedVersions } from '../../../services/session-service/src/events/kafka-announced-versions.ts';
import { KafkaBus } from '../../../services/session-service/src/events/kafka-bus.ts';
import { Feed } from '../../../services/session-service/src/events/kafka-feed.ts';
import { ensureTopics } from '../../../services/session-service/src/events/kafka-topics.ts';
import { Pipeline } from '../../../services/session-service/src/events/pipeline.ts';
import { authority, signedBy } from '../../support/certificates.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { MemoryVersions } from '../../support/memory-stores.ts';
import { type KafkaUser, type SecuredKafka, startSecuredKafka } from '../../support/secured-kafka.ts';
import { tickIntoVersions } from '../../support/ticking.ts';
import { CLAIMS } from '../../unit/sidecar/issuer.ts';

const PARTITIONS = 4;
const WAIT = { timeout: 20_000, interval: 20 };

let directory: string;
let secured: SecuredKafka;
let service: Producer;
const ticker = tickIntoVersions(() => service, PARTITIONS);
/** What ends with the test. */
const open: { close(): Promise<unknown> }[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'curfew-secured-kafka-'));
  secured = await startSecuredKafka(directory);
  await createTopics('SCRAM-SHA-512');
  service = await producerAs('session-service');
  ticker.start();
});
afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));
afterAll(async () => {
  ticker.stop();
  await service?.disconnect();
  await secured?.stop();
  await removeDirectory(directory);
});

/** As the session service does. */
async function createTopics(mechanism: Sasl['mechanism']): Promise<void> {
  const admin = createKafka({ ...secured.as('session-service', mechanism), clientId: 'security-test' }).admin();
  await admin.connect();
  try {
    await ensureTopics(admin, PARTITIONS);
  } finally {
    await admin.disconnect();
  }
}

async function producerAs(user: KafkaUser): Promise<Producer> {
  const kafka = createKafka({ ...secured.as(user), clientId: 'security-test' });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return producer;
}

async function announce(producer: Producer, subject: string, version: number): Promise<void> {
  const scope = subjectScope(subject);
  const versions = { current: version, floor: version, at: version };
  const record = encodeVersionRecord({ kind: 'version', scope, ...versions, why: 'x', id: 'x', offset: 0 });
  const messages = [{ ...record, partition: partitionOf(subject, PARTITIONS) }];
  await producer.send({ topic: TOPICS.sessionVersions, acks: -1, messages });
}

const warnings: { message: string; error: CurfewError }[] = [];
function sidecarWith(connection: KafkaConnection): Sidecar {
  warnings.length = 0;
  const sidecar = createSidecar({
    ...connection,
    issuer: 'http://127.0.0.1:9',
    audience: 'shop',
    service: 'orders',
    onWarning: (message, error) => warnings.push({ message, error: error as CurfewError }),
  });
  open.push(sidecar);
  return sidecar;
}

const check = (sidecar: Sidecar, sub: string, s: number) =>
  sidecar.check(sessionVersions({ ...CLAIMS, sub, sid: sub, ver: { s, t: 0, r: 0, at: Date.now() } }));

describe('with the rights of infra/kafka/acls.txt, over TLS', () => {
  test.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)(
    'the session service verifies the topics, by %s',
    async (mechanism) => {
      await expect(createTopics(mechanism)).resolves.toBeUndefined();
    },
  );

  test('a sidecar is live, rejects what is announced, and its receipts are read', async () => {
    const sidecar = sidecarWith(secured.as('sidecar'));
    await sidecar.start();
    await announce(service, 'alice', 5);
    await vi.waitFor(() => expect(check(sidecar, 'alice', 4)).toBe('revoked'), WAIT);
    await vi.waitFor(() => expect(check(sidecar, 'alice', 5)).toBe('active'), WAIT);
    expect(warnings.filter(({ error }) => error !== undefined)).toEqual([]);
    const said: string[] = [];
    const kafka = createKafka({ ...secured.admin, clientId: 'security-test' });
    const consumer = kafka.consumer({ groupId: 'security-test' });
    open.push({ close: () => consumer.disconnect() });
    await consumer.connect();
    await consumer.subscribe({ topics: [TOPICS.receipts], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        const receipt = decodeReceipt(message.value);
        if (receipt.ok) said.push(receipt.value.service);
      },
    });
    await vi.waitFor(() => expect(said).toContain('orders'), WAIT);
  });

  test.each<[KafkaUser, string]>([
    ['sidecar', TOPICS.sessionVersions],
    ['sidecar', TOPICS.accountEvents],
    ['identity-publisher', TOPICS.sessionVersions],
    ['identity-publisher', TOPICS.receipts],
    ['operator', TOPICS.sessionVersions],
    ['operator', TOPICS.accountEvents],
    ['operator', TOPICS.receipts],
    ['operator', TOPICS.rejected],
    ['session-service', TOPICS.receipts],
    ['nobody', TOPICS.sessionVersions],
  ])('%s may not write %s', async (user, topic) => {
    const producer = await producerAs(user);
    open.push({ close: () => producer.disconnect() });
    const messages = [{ key: 'u:alice', value: '{"current":1,"floor":1}', partition: 0 }];
    const error = await producer.send({ topic, acks: -1, messages }).catch((refused: unknown) => refused);
    expect(kafkaRefusal(error)).toMatchObject({ reason: 'right_missing' });
  });

  test.each<[KafkaUser, string]>([
    ['sidecar', TOPICS.accountEvents],
    ['sidecar', TOPICS.receipts],
    ['identity-publisher', TOPICS.sessionVersions],
    ['operator', TOPICS.accountEvents],
  ])('%s may not read %s', async (user, topic) => {
    const refused: CurfewError[] = [];
    const sink = { begin() {}, apply() {}, undecodable() {}, unreadable() {}, gap() {}, progress() {} };
    const reader = new KafkaTopicReader<null>({
      ...secured.as(user),
      topic,
      decode: () => ({ ok: true, value: null }),
      clientId: 'security-test',
      partitions: undefined,
      windowMs: 1000,
      now: Date.now,
      sink,
      onRefused: (error) => refused.push(error),
    });
    open.push(reader);
    reader.start();
    await vi.waitFor(() => expect(refused).toEqual([expect.objectContaining({ reason: 'right_missing' })]), WAIT);
    expect(reader.notReady().join()).toContain('right_missing');
  });

  test('an identity publisher publishes; one without the right is told right_missing', async () => {
    const publisher = createPublisher({ ...secured.as('identity-publisher'), issuer: 'i' });
    const other = createPublisher({ ...secured.as('sidecar'), issuer: 'i' });
    open.push(publisher, other);
    await Promise.all([publisher.start(), other.start()]);
    await expect(publisher.accountEnabled({ subject: 'bob' })).resolves.toMatchObject({ offset: 0 });
    await expect(other.accountEnabled({ subject: 'bob' })).rejects.toMatchObject({
      code: 'bus_unavailable',
      reason: 'right_missing',
    });
  });

  test('the operator’s command reads versions and receipts', async () => {
    for (const read of [readVersions, readReceipts])
      open.push(await read({ ...secured.as('operator'), windowMs: 60_000, take: () => {} }));
  });

  test('a sidecar that may not write receipts works, and says that they are not delivered', async () => {
    const sidecar = sidecarWith(secured.as('operator'));
    await sidecar.start();
    const told = () => warnings.filter(({ message }) => message.startsWith('receipts are not delivered'));
    await vi.waitFor(() => expect(told()).toHaveLength(1), WAIT);
    expect(told()[0]?.error).toMatchObject({ code: 'bus_unavailable', reason: 'right_missing' });
    await vi.waitFor(() => expect(sidecar.notReady()).toEqual([]), WAIT);
  });
});

describe('a session service', () => {
  let feed: Feed;
  const warned: (CurfewError | undefined)[] = [];

  beforeAll(async () => {
    const kafka = createKafka({ ...secured.as('session-service'), clientId: 'security-test' });
    const bus = new KafkaBus(kafka);
    const versions = new MemoryVersions();
    const pipeline = new Pipeline({
      versions,
      sessions: new MemorySessions(),
      bus,
      partitions: PARTITIONS,
      rules: EFFECT_RULES,
      onRecord: (step) => feed.applied(step),
      onAnnounced: () => {},
      warn: () => {},
      now: Date.now,
    });
    feed = new Feed({
      ...{ kafka, bus, versions, pipeline, partitions: PARTITIONS, now: Date.now },
      tickIntervalMs: 200,
      maxViewAgeMs: 1000,
      readAnnounced: () => readAnnouncedVersions(secured.as('session-service'), PARTITIONS),
      warn: (_, error) => warned.push(error as CurfewError),
    });
    feed.start();
    await vi.waitFor(() => expect(feed.notReady()).toEqual([]), WAIT);
  });
  afterAll(() => feed?.close());

  test.each([
    ['announces nothing', TOPICS.sessionVersions, 'are tried again: Kafka: right_missing'],
    ['writes no tick', TOPICS.accountEvents, 'applied too late in partition 0, 1, 2, 3: Kafka: right_missing'],
  ])('that loses a right, so that it %s, says so, and goes on once it has it again', async (_, topic, says) => {
    warned.length = 0;
    const denied = await secured.denyWrite('session-service', topic);
    try {
      await vi.waitFor(() => expect(feed.notReady().join()).toContain(says), WAIT);
      expect(kafkaRefusal(warned[0])).toMatchObject({ reason: 'right_missing' });
    } finally {
      await denied.callOff();
    }
    await vi.waitFor(() => expect(feed.notReady()).toEqual([]), WAIT);
  });
});

describe('a client that Kafka does not take, or that does not take Kafka', () => {
  const sasl = (password: string, mechanism: Sasl['mechanism'] = 'SCRAM-SHA-512') => ({
    ...secured.as('sidecar'),
    sasl: { mechanism, username: 'sidecar', password },
  });
  const cases: [RefusalCode, string, () => Promise<KafkaConnection> | KafkaConnection][] = [
    ['credentials_refused', 'a wrong password (SCRAM)', () => sasl('planted-secret')],
    ['credentials_refused', 'a wrong password (PLAIN)', () => sasl('planted-secret', 'PLAIN')],
    ['right_missing', 'no right', () => secured.as('nobody')],
    [
      'certificate_untrusted',
      'an unknown authority',
      async () => ({ ...secured.as('sidecar'), tls: { ca: (await authority()).cert } }),
    ],
    ['certificate_untrusted', 'no authority', () => ({ ...secured.as('sidecar'), tls: {} })],
    ['certificate_expired', 'an expired certificate', () => secured.expired],
    ['certificate_misnamed', 'a certificate for another address', () => secured.misnamed],
    ['certificate_refused', 'no certificate of its own', () => secured.withCertificate({})],
    [
      'certificate_refused',
      'a certificate that has expired',
      async () => secured.withCertificate(await signedBy(secured.ca, 'sidecar', -1)),
    ],
    [
      'certificate_refused',
      'a certificate of an unknown authority',
      async () => secured.withCertificate(await signedBy(await authority(), 'sidecar')),
    ],
    ['tls_mismatch', 'no TLS', () => ({ ...secured.admin, tls: {} })],
  ];

  test.each(cases)(
    'a sidecar is told %s, by %s, once; and says so where its readiness is asked',
    async (reason, _, connection) => {
      const sidecar = sidecarWith(await connection());
      sidecar.start().catch(() => {});
      await vi.waitFor(() => expect(sidecar.notReady()[0]).toContain(`Kafka: ${reason}`), WAIT);
      const told = warnings.filter(({ message }) => message === 'Kafka turns the sidecar away');
      expect(told.map(({ error }) => error)).toEqual([expect.objectContaining({ code: 'bus_unavailable', reason })]);
      expect(inspect(warnings, { depth: 9, showHidden: true })).not.toContain('planted-secret');
    },
  );

  test.each(cases)('a publisher is told %s, by %s; and its events fail with it', async (reason, _, connection) => {
    const publisher = createPublisher({ ...(await connection()), issuer: 'i' });
    open.push(publisher);
    await publisher.start();
    await vi.waitFor(() => expect(publisher.notReady()).toEqual([expect.stringContaining(reason)]), WAIT);
    const failed = publisher.accountEnabled({ subject: 'bob' });
    await expect(failed).rejects.toMatchObject({ code: 'bus_unavailable', reason });
  });

  test('is taken with a certificate of its own that Kafka trusts, and may do what the name in it may', async () => {
    const sidecar = sidecarWith(secured.withCertificate(await signedBy(secured.ca, 'sidecar')));
    await sidecar.start();
    expect(warnings.filter(({ error }) => error !== undefined)).toEqual([]);
    const publisher = createPublisher({
      ...secured.withCertificate(await signedBy(secured.ca, 'identity-publisher')),
      issuer: 'i',
    });
    open.push(publisher);
    await publisher.start();
    await expect(publisher.accountEnabled({ subject: 'bob' })).resolves.toMatchObject({
      partition: expect.any(Number),
    });
  });
});
