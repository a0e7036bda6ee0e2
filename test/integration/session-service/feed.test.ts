import { randomUUID } from 'node:crypto';
import {
  CAEP,
  CONTENT_TYPE,
  decodeVersionRecord,
  EFFECT_RULES,
  partitionOf,
  RISC,
  type SecurityEventToken,
  TOPIC_CONFIG,
  TOPICS,
  type VersionRecord,
} from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import type { RedisConnection } from '@curfew/store';
import { type Admin, ConfigResourceTypes, type Consumer, type KafkaMessage, type Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { readAnnouncedVersions } from '../../../services/session-service/src/events/kafka-announced-versions.ts';
import { KafkaBus } from '../../../services/session-service/src/events/kafka-bus.ts';
import { Feed } from '../../../services/session-service/src/events/kafka-feed.ts';
import { ensureTopics } from '../../../services/session-service/src/events/kafka-topics.ts';
import { Pipeline } from '../../../services/session-service/src/events/pipeline.ts';
import type { Step } from '../../../services/session-service/src/events/plan.ts';
import { connectStore } from '../../../services/session-service/src/store/redis-connection.ts';
import { RedisSessions } from '../../../services/session-service/src/store/redis-sessions.ts';
import { RedisVersions } from '../../../services/session-service/src/store/redis-versions.ts';
import { opaque, PARTITIONS, setOf } from '../../support/account-event-records.ts';
import { sessionRecord } from '../../support/session-records.ts';

const GROUP = 'curfew-session-service';
const { brokers, redisUrl } = inject('stack');
const kafka = createKafka({ brokers, clientId: 'feed-test' });

type Read = KafkaMessage & { readonly topic: string; readonly partition: number };

let redis: RedisConnection;
let versions: RedisVersions;
let admin: Admin;
let producer: Producer;
let reader: Consumer;
const read: Read[] = [];
let feed: Feed | undefined;
let steps: Step[] = [];
let warnings: string[] = [];

beforeAll(async () => {
  redis = connectStore(redisUrl);
  redis.start(() => {});
  await vi.waitFor(() => expect(redis.notReady()).toEqual([]), 10_000);
  versions = new RedisVersions({ redis: redis.client, partitions: PARTITIONS, versionTtlMs: 3_600_000 });
  admin = kafka.admin();
  producer = kafka.producer({ allowAutoTopicCreation: false });
  await Promise.all([admin.connect(), producer.connect()]);
  await ensureTopics(admin, PARTITIONS);
  reader = kafka.consumer({ groupId: `feed-test-${randomUUID()}`, maxWaitTimeInMs: 100 });
  await reader.connect();
  await reader.subscribe({ topics: [TOPICS.sessionVersions, TOPICS.rejected], fromBeginning: true });
  await reader.run({
    eachMessage: async ({ topic, partition, message }) => {
      read.push({ topic, partition, ...message });
    },
  });
});

afterAll(async () => {
  await reader.disconnect();
  await Promise.all([admin.disconnect(), producer.disconnect()]);
  redis.close();
});

beforeEach(startFeed);
afterEach(() => feed?.close());

async function startFeed(): Promise<void> {
  steps = [];
  warnings = [];
  const bus = new KafkaBus(kafka);
  const sessions = new RedisSessions(redis.client, Date.now);
  const onRecord = (step: Step) => {
    steps.push(step);
    feed?.applied(step);
  };
  const pipeline = new Pipeline({
    versions,
    sessions,
    bus,
    partitions: PARTITIONS,
    rules: EFFECT_RULES,
    onRecord,
    onAnnounced: () => {},
    warn: () => {},
    now: Date.now,
  });
  const warn = (message: string) => {
    warnings.push(message);
  };
  const started = new Feed({
    kafka,
    bus,
    versions,
    pipeline,
    partitions: PARTITIONS,
    tickIntervalMs: 500,
    maxViewAgeMs: 2000,
    readAnnounced: () => readAnnouncedVersions({ brokers }, PARTITIONS),
    now: Date.now,
    warn,
  });
  feed = started;
  started.start();
  await vi.waitFor(() => expect(started.notReady()).toEqual([]), { timeout: 20_000, interval: 20 });
}

/** Produces a value to the log; returns where it stands. */
async function produce(
  key: string,
  value: Buffer | null,
  rest: object = {},
): Promise<{ partition: number; offset: number }> {
  const partition = partitionOf(key, PARTITIONS);
  const [sent] = await producer.send({
    topic: TOPICS.accountEvents,
    acks: -1,
    messages: [{ key, value, partition, ...rest }],
  });
  return { partition: sent?.partition ?? -1, offset: Number(sent?.baseOffset) };
}

const disable = (subject: string, rest: object = {}) =>
  produce(subject, encode(setOf(`${RISC}account-disabled`, opaque(subject), {}, `disable-${subject}`)), rest);

const encode = (set: SecurityEventToken) => Buffer.from(JSON.stringify(set));

function announced(scope: string): (VersionRecord & { partition: number; message: Read })[] {
  return read.flatMap((message) => {
    if (message.topic !== TOPICS.sessionVersions || message.key?.toString() !== scope) return [];
    const record = decodeVersionRecord(message.key, message.value);
    return record.ok && record.value.kind === 'version'
      ? [{ ...record.value, partition: message.partition, message }]
      : [];
  });
}

const aside = (key: string) => read.filter(({ topic, key: of }) => topic === TOPICS.rejected && of?.toString() === key);
const eventually = <T>(value: () => T, options: { timeout?: number } = {}) =>
  expect.poll(value, { timeout: 10_000, interval: 20, ...options });

describe('from the log to Redis and to session-versions', () => {
  test('an account event raises the version by its own acknowledgement time, and is announced in its partition', async () => {
    const alice = randomUUID();
    const { partition, offset } = await disable(alice);
    await eventually(() => announced(`u:${alice}`)).toHaveLength(1);
    const [announcement] = announced(`u:${alice}`);
    const { subject, blocked } = await versions.read(alice);
    expect(blocked).toBe(true);
    expect(announcement).toMatchObject({
      ...subject,
      partition,
      offset,
      why: 'risc/account-disabled',
      at: subject.current,
    });
    expect(Math.abs(Date.now() - subject.current)).toBeLessThan(20_000);
    expect(await versions.position(partition)).toBeGreaterThanOrEqual(offset);
  });

  test('a batch of events keeps its order, and its versions only rise', async () => {
    const alice = randomUUID();
    const value = encode(setOf(`${CAEP}token-claims-change`, opaque(alice), { claims: { roles: ['viewer'] } }));
    const partition = partitionOf(alice, PARTITIONS);
    const messages = Array.from({ length: 1200 }, () => ({ key: alice, value, partition }));
    await producer.send({ topic: TOPICS.accountEvents, acks: -1, messages });
    await eventually(() => announced(`u:${alice}`), { timeout: 20_000 }).toHaveLength(1200);
    const currents = announced(`u:${alice}`).map(({ current }) => current);
    expect(currents).toEqual([...new Set(currents)].sort((a, b) => a - b));
    expect(warnings).toEqual([]);
  });

  test.each([
    ['malformed JSON', Buffer.from('{"iss":'), 'json_malformed'],
    ['a value of 1 MiB', Buffer.alloc(1024 * 1024, 0x20), 'value_too_large'],
    ['a null value', null, 'value_missing'],
    ['an unknown event type', encode(setOf('https://example.com/x', opaque('y'))), 'event_type_unknown'],
    [
      'a subject in an unknown format',
      encode({ ...setOf(RISC, opaque('y')), sub_id: { format: 'did' } as never }),
      'subject_format_unknown',
    ],
  ])('%s is kept aside as it was read, and its partition goes on', async (_name, value, error) => {
    const key = error === 'event_type_unknown' ? 'y' : randomUUID();
    const headers = { 'x-origin': 'test' };
    const before = aside(key).length;
    const { partition, offset } = await produce(key, value, { headers });
    await eventually(() => aside(key).length).toBe(before + 1);
    const kept = aside(key).at(-1);
    expect(kept?.value).toEqual(value);
    const keptHeaders = Object.fromEntries(
      Object.entries(kept?.headers ?? {}).map(([name, text]) => [name, String(text)]),
    );
    expect(keptHeaders).toEqual({ 'x-origin': 'test', error, partition: String(partition), offset: String(offset) });

    const next = await samePartition(partition);
    await disable(next);
    await eventually(() => announced(`u:${next}`)).toHaveLength(1);
  });

  test('a device with thousands of sessions is announced, in as many requests as it takes', async () => {
    const alice = randomUUID();
    const sessions = new RedisSessions(redis.client, Date.now);
    const records = Array.from({ length: 6000 }, () => sessionRecord({ subject: alice, device: 'kiosk' }));
    for (let first = 0; first < records.length; first += 500)
      await Promise.all(records.slice(first, first + 500).map((record) => sessions.create(record)));
    const sids = records.map(({ sid }) => sid);
    const subject = { format: 'complex', user: opaque(alice), device: opaque('kiosk') } as SecurityEventToken['sub_id'];
    const payload = { current_status: 'not-compliant' };
    await produce(alice, encode(setOf(`${CAEP}device-compliance-change`, subject, payload)));
    await eventually(() => announced(`s:${sids.at(-1)}`), { timeout: 20_000 }).not.toHaveLength(0);
    await eventually(() => announced(`s:${sids[0]}`)).not.toHaveLength(0);
    await eventually(() => announced(`u:${alice}`)).not.toHaveLength(0);
    // Whoever has read only some of it is not to say that it has applied the event.
    const partition = partitionOf(alice, PARTITIONS);
    const more = read
      .filter((message) => message.topic === TOPICS.sessionVersions && message.partition === partition)
      .map(({ key, value }) => decodeVersionRecord(key, value))
      .flatMap((record) => (record.ok && record.value.kind === 'version' ? [record.value] : []))
      .filter(({ offset }) => offset === announced(`u:${alice}`)[0]?.offset)
      .map((record) => record.more === true);
    expect(more).toHaveLength(records.length + 1);
    expect(more.lastIndexOf(true)).toBe(more.indexOf(false) - 1);
    expect(more.filter((one) => !one).length).toBeLessThan(1000);
  });

  test('an event in the wrong partition is carried to its own, and takes effect there', async () => {
    const alice = randomUUID();
    const wrong = (partitionOf(alice, PARTITIONS) + 1) % PARTITIONS;
    await disable(alice, { partition: wrong });
    await eventually(() => announced(`u:${alice}`)).toHaveLength(1);
    expect(announced(`u:${alice}`)[0]?.partition).toBe(partitionOf(alice, PARTITIONS));
  });

  test('an event compressed by gzip is read, and a signed one', async () => {
    const alice = randomUUID();
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const set = setOf(`${RISC}account-disabled`, opaque(alice));
    const jwt = Buffer.from(`${part({ alg: 'ES256', typ: 'secevent+jwt' })}.${part(set)}.c2ln`);
    await produce(alice, jwt, { headers: { 'content-type': CONTENT_TYPE.jwt } });
    const partition = partitionOf(alice, PARTITIONS);
    const messages = [{ key: alice, value: encode(set), partition }];
    await producer.send({ topic: TOPICS.accountEvents, compression: 1, messages });
    await eventually(() => announced(`u:${alice}`)).toHaveLength(2);
  });
});

/** A subject in a partition. */
async function samePartition(partition: number): Promise<string> {
  for (;;) {
    const subject = randomUUID();
    if (partitionOf(subject, PARTITIONS) === partition) return subject;
  }
}

describe('after a restart', () => {
  test('what was applied and announced is not announced again', async () => {
    const alice = randomUUID();
    const { partition, offset } = await disable(alice);
    await eventually(() => announced(`u:${alice}`)).toHaveLength(1);
    await eventually(() => committed(partition)).toBeGreaterThan(offset);
    await feed?.close();
    await startFeed();
    const next = await samePartition(partition);
    await disable(next);
    await eventually(() => announced(`u:${next}`)).toHaveLength(1);
    expect(announced(`u:${alice}`)).toHaveLength(1);
  });

  test('what was applied and not announced is announced, with the version that it got', async () => {
    const alice = randomUUID();
    const { partition, offset } = await disable(alice);
    await eventually(() => announced(`u:${alice}`)).toHaveLength(1);
    await eventually(() => committed(partition)).toBeGreaterThan(offset);
    await feed?.close();
    const { subject } = await versions.read(alice);
    // As a crash between the fold and the announcement leaves it: applied in Redis, not committed in the group.
    await admin.setOffsets({
      groupId: GROUP,
      topic: TOPICS.accountEvents,
      partitions: [{ partition, offset: String(offset) }],
    });
    await startFeed();
    await eventually(() => announced(`u:${alice}`)).toHaveLength(2);
    expect(announced(`u:${alice}`)[1]).toMatchObject({ ...subject, offset });
  });

  test('what Redis lost is applied again: while down, and while running', async () => {
    const alice = randomUUID();
    const { partition, offset } = await disable(alice);
    await eventually(() => announced(`u:${alice}`)).toHaveLength(1);
    const before = (await versions.read(alice)).subject;
    const lose = () =>
      redis.client
        .multi()
        .del(`curfew:ver:{p${partition}}:u:${alice}`)
        .hset(`curfew:pos:{p${partition}}`, 'offset', offset - 1)
        .exec();

    await feed?.close();
    await lose();
    await startFeed();
    await eventually(async () => (await versions.read(alice)).subject).toEqual(before);

    await eventually(() => committed(partition)).toBeGreaterThan(offset);
    await lose();
    const next = await samePartition(partition);
    await disable(next);
    await eventually(() => announced(`u:${next}`)).toHaveLength(1);
    expect((await versions.read(alice)).subject).toEqual(before);
    expect(warnings).toContainEqual(expect.stringContaining('is positioned again'));
  });
});

describe('after Redis was emptied', () => {
  test('its versions come back from what was announced, blocks included, and nothing is minted before', async () => {
    const alice = randomUUID();
    const carol = randomUUID();
    const { partition, offset } = await disable(alice);
    await produce(carol, encode(setOf(`${CAEP}token-claims-change`, opaque(carol), { claims: { roles: [] } })));
    await eventually(() => announced(`u:${alice}`)).toHaveLength(1);
    await eventually(() => announced(`u:${carol}`)).toHaveLength(1);
    await eventually(() => committed(partition)).toBeGreaterThan(offset);
    const before = await versions.read(alice);
    const stale = await versions.read(carol);

    await redis.client.flushall();
    expect((await versions.read(alice)).tick).toBe(0);
    await eventually(async () => (await versions.read(alice)).tick).toBeGreaterThan(before.tick);

    const after = await versions.read(alice);
    expect(after.subject.current).toBeGreaterThanOrEqual(before.subject.current);
    expect(after.subject.floor).toBeGreaterThanOrEqual(before.subject.floor);
    expect(after.blocked).toBe(true);
    // The roles that carol's sessions had yet to take on are lost: those sessions end.
    expect((await versions.read(carol)).subject.floor).toBe(stale.subject.current);
    expect(warnings).toContainEqual(expect.stringContaining(`Redis has lost partition ${partition}`));
  });
});

test('a log that is deleted and made anew while it is read is read from its beginning', {
  timeout: 60_000,
}, async () => {
  const alice = randomUUID();
  const partition = partitionOf(alice, PARTITIONS);
  const before = await samePartition(partition);
  for (let i = 0; i < 5; i++) await disable(before);
  await eventually(() => announced(`u:${before}`).length).toBeGreaterThanOrEqual(5);
  await admin.deleteTopics({ topics: [TOPICS.accountEvents] });
  await vi.waitFor(() => ensureTopics(admin, PARTITIONS), { timeout: 20_000, interval: 200 });
  await vi.waitFor(() => disable(alice), { timeout: 20_000, interval: 200 });
  await eventually(() => announced(`u:${alice}`), { timeout: 30_000 }).not.toHaveLength(0);
});

describe('two instances', () => {
  test('share the partitions, and lose no event when one of them goes', async () => {
    const first = feed;
    const firstSteps = steps;
    await startFeed();
    const second = feed;
    const subjects = Array.from({ length: 60 }, () => randomUUID());
    const sendAll = (async () => {
      for (const subject of subjects) await disable(subject);
    })();
    await new Promise((resolve) => setTimeout(resolve, 30));
    await first?.close();
    await sendAll;
    for (const subject of subjects)
      await eventually(() => announced(`u:${subject}`).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(1);
    expect(firstSteps.length + steps.length).toBeGreaterThanOrEqual(subjects.length);
    expect(second?.notReady()).toEqual([]);
  });
});

async function committed(partition: number): Promise<number> {
  const [group] = await admin.fetchOffsets({ groupId: GROUP, topics: [TOPICS.accountEvents] });
  return Number(group?.partitions.find((one) => one.partition === partition)?.offset ?? -1);
}

describe('the topics', () => {
  test('are as the contract says', async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: Object.values(TOPICS) });
    expect(Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions.length]))).toEqual({
      [TOPICS.accountEvents]: PARTITIONS,
      [TOPICS.sessionVersions]: PARTITIONS,
      [TOPICS.receipts]: 1,
      [TOPICS.rejected]: 1,
    });
    await expect(ensureTopics(admin, PARTITIONS)).resolves.toBeUndefined();
  });

  test('with another partition count are refused, in words', async () => {
    await expect(ensureTopics(admin, PARTITIONS + 1)).rejects.toMatchObject({
      code: 'topic_mismatch',
      message: expect.stringContaining(`has ${PARTITIONS} partitions`),
    });
  });

  /** While the topic has another configuration. */
  async function configured(topic: keyof typeof TOPIC_CONFIG, name: string, wrong: string, then: () => Promise<void>) {
    const configure = (entries: { name: string; value: string }[]) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: entries }],
      });
    const right = Object.entries(TOPIC_CONFIG[topic]).map(([name, value]) => ({ name, value }));
    await configure(right.map((entry) => (entry.name === name ? { name, value: wrong } : entry)));
    try {
      await then();
    } finally {
      await configure(right);
    }
    await expect(ensureTopics(admin, PARTITIONS)).resolves.toBeUndefined();
  }
  const mismatchOf = (topic: string, name: string, wrong: string) => ({
    code: 'topic_mismatch',
    message: expect.stringContaining(`${topic} has ${name}=${wrong}`),
  });

  test.each([
    [TOPICS.sessionVersions, 'cleanup.policy', 'delete'],
    // A horizon may reach back to what would be compacted away.
    [TOPICS.sessionVersions, 'min.compaction.lag.ms', '0'],
  ])('with another configuration are refused, in words: %s %s', (topic, name, wrong) =>
    configured(topic, name, wrong, async () => {
      await expect(ensureTopics(admin, PARTITIONS)).rejects.toMatchObject(mismatchOf(topic, name, wrong));
    }),
  );

  test.each([
    ['min.compaction.lag.ms', '0'],
    ['message.timestamp.type', 'CreateTime'],
  ])('of receipts with another %s stops no revocation, but receipts are not believed', (name, wrong) =>
    configured(TOPICS.receipts, name, wrong, async () => {
      await expect(ensureTopics(admin, PARTITIONS)).resolves.toMatchObject(mismatchOf(TOPICS.receipts, name, wrong));
      expect(feed?.canBelieveReceipts).toBe(true);
      await feed?.close();
      await startFeed();
      expect(feed?.canBelieveReceipts).toBe(false);
      expect(warnings).toEqual([expect.stringContaining('no revocation is said to be effective')]);
    }),
  );
});
