import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeVersionRecord, partitionOf, type ScopeKey, TOPICS } from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import { sessionVersions } from '@curfew/replica';
import { createSidecar, type Sidecar } from '@curfew/sidecar';
import type { Admin, Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startKafka } from '../../infra/local/kafka.mjs';
import { kafkaAnswers } from '../../infra/local/kafka-answer.mjs';
import { kafkaFiles } from '../../infra/local/kafka-jars.mjs';
import { freePort } from '../../infra/local/ports.mjs';
import { type Started, startProcess, waitUntil } from '../../infra/local/processes.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { ensureTopics } from '../../services/session-service/src/events/kafka-topics.ts';
import { tickIntoVersions } from '../support/ticking.ts';
import { CLAIMS } from '../unit/sidecar/issuer.ts';

/** Two of them get no record here. */
const PARTITIONS = 4;
const ANOTHER_LOG = 'is not the log that was read before';
const WAIT = { timeout: 20_000, interval: 10 };

/** A Kafka of this file's own, as it is killed, paused and emptied here. The tests follow one sidecar through its life. */
let port: number;
let directory: string;
let kafka: Started;
let admin: Admin;
let producer: Producer;
let sidecar: Sidecar;
let started: Promise<void>;
const warnings: string[] = [];
const changes: string[] = [];
const ticker = tickIntoVersions(() => producer, PARTITIONS);

beforeAll(async () => {
  port = await freePort();
  directory = await mkdtemp(`${tmpdir()}/curfew-outage-`);
  sidecar = createSidecar({
    brokers: [`127.0.0.1:${port}`],
    issuer: 'http://127.0.0.1:9',
    audience: 'shop',
    service: 'orders',
    onWarning: (message) => warnings.push(message),
    onStatus: ({ to }) => changes.push(to),
  });
  ticker.start();
  started = sidecar.start();
});

afterAll(async () => {
  ticker.stop();
  await sidecar.close();
  await disconnect();
  await kafka?.stop('SIGKILL');
  await removeDirectory(directory);
});

async function connect(): Promise<void> {
  const client = createKafka({ brokers: [`127.0.0.1:${port}`], clientId: 'outage-test' });
  admin = client.admin();
  producer = client.producer({ allowAutoTopicCreation: false });
  await Promise.all([admin.connect(), producer.connect()]);
}
async function kill(): Promise<void> {
  await disconnect();
  process.kill(-kafka.pid, 'SIGKILL');
  await kafka.ended;
}

/** Starts it on what it had written, which `startKafka` would remove. */
async function restart(): Promise<void> {
  const log = `${directory}/kafka.log`;
  const { libs } = await kafkaFiles({ log });
  const args = [
    '-Xmx512m',
    '-XX:TieredStopAtLevel=1',
    `-Djava.io.tmpdir=${directory}/kafka/tmp`,
    '-cp',
    `${libs}/*`,
    'kafka.Kafka',
  ];
  kafka = await startProcess({
    name: 'Kafka',
    command: 'java',
    args: [...args, `${directory}/kafka/server.properties`],
    log,
  });
  await waitUntil(kafka, () => kafkaAnswers(port), { limitMs: 30_000 });
  await connect();
}

const disconnect = () => Promise.allSettled([admin?.disconnect(), producer?.disconnect()]);

async function announce(subject: string, version: number): Promise<void> {
  const scope: ScopeKey = `u:${subject}`;
  const versions = { current: version, floor: version, at: version };
  const record = encodeVersionRecord({ kind: 'version', scope, ...versions, why: 'x', id: 'x', offset: 0 });
  const partition = partitionOf(subject, PARTITIONS);
  await producer.send({ topic: TOPICS.sessionVersions, acks: -1, messages: [{ ...record, partition }] });
}

const check = (sub: string, s: number, at = Date.now()) =>
  sidecar.check(sessionVersions({ ...CLAIMS, sub, sid: sub, ver: { s, t: 0, r: 0, at } }));

describe('a sidecar', () => {
  test('goes on trying while Kafka is absent, says so, and proves nothing', async () => {
    await sleep(300);
    expect(sidecar.state).toBe('starting');
    expect(sidecar.notReady()[0]).toContain('Kafka does not answer');
    expect(check('alice', 9)).toBe('unprovable');
  });

  test('says that the topic is absent, and is live once the topic was created', async () => {
    kafka = await startKafka({ port, directory });
    await vi.waitFor(() => expect(sidecar.notReady()[0]).toContain('the session service creates it'), WAIT);
    await connect();
    await ensureTopics(admin, PARTITIONS);
    await started;
    await vi.waitFor(() => expect(sidecar.state).toBe('live'), WAIT);
    await announce('alice', 5);
    await vi.waitFor(() => expect(check('alice', 4)).toBe('revoked'), WAIT);
    expect(check('alice', 5)).toBe('active');
  });

  test('is cut off while Kafka is down, proves nothing, and catches up by itself when it is back', async () => {
    await kill();
    await vi.waitFor(() => expect(sidecar.state).toBe('cut-off'), WAIT);
    expect(sidecar.notReady()[0]).toContain('Kafka does not answer');
    expect(check('alice', 4)).toBe('revoked');
    expect(check('alice', 5)).toBe('unprovable');
    await restart();
    await announce('bob', 5);
    await vi.waitFor(() => expect(check('bob', 4)).toBe('revoked'), WAIT);
    await vi.waitFor(() => expect(sidecar.state).toBe('live'), WAIT);
    expect(check('alice', 5)).toBe('active');
    expect(warnings.join()).toContain('the sidecar is cut-off: ');
    expect(changes[0]).toBe('starting');
    expect(changes.at(-1)).toBe('live');
    expect(warnings.join()).not.toContain(ANOTHER_LOG);
  });

  test('is cut off while Kafka hangs, within the bound, and reads on when it moves again', async () => {
    process.kill(-kafka.pid, 'SIGSTOP');
    const stopped = performance.now();
    await vi.waitFor(() => expect(sidecar.notReady()[0]).toContain('Kafka does not answer'), WAIT);
    expect(performance.now() - stopped).toBeLessThan(2500);
    expect(sidecar.state).toBe('cut-off');
    expect(check('alice', 5)).toBe('unprovable');
    process.kill(-kafka.pid, 'SIGCONT');
    await vi.waitFor(() => expect(sidecar.state).toBe('live'), WAIT);
    await announce('carol', 5);
    await vi.waitFor(() => expect(check('carol', 4)).toBe('revoked'), WAIT);
  });

  test('raises its horizon when Kafka comes back without what was read, and keeps what it knows', async () => {
    const minted = Date.now() - 60_000;
    expect(check('alice', 5, minted)).toBe('active');
    await kill();
    const partition = `${directory}/kafka/log/${TOPICS.sessionVersions}-${partitionOf('alice', PARTITIONS)}`;
    for (const file of await readdir(partition))
      if (file.startsWith('0000') || file.startsWith('leader-epoch')) await rm(`${partition}/${file}`);
    await restart();
    await vi.waitFor(() => expect(warnings.join()).toContain(ANOTHER_LOG), WAIT);
    await vi.waitFor(() => expect(sidecar.state).toBe('live'), WAIT);
    expect(check('alice', 5, minted)).toBe('unprovable');
    expect(check('alice', 4)).toBe('revoked');
    warnings.length = 0;
  });

  test('raises its horizon when the topic is deleted and created anew, and keeps what it knows', async () => {
    const minted = Date.now();
    await vi.waitFor(() => expect(check('alice', 5, minted + 1000)).toBe('active'), WAIT);
    await admin.deleteTopics({ topics: [TOPICS.sessionVersions] });
    await vi.waitFor(() => expect(sidecar.state).toBe('cut-off'), WAIT);
    await ensureTopics(admin, PARTITIONS);
    await vi.waitFor(() => expect(sidecar.state).toBe('live'), WAIT);
    expect(check('alice', 5, minted)).toBe('unprovable');
    expect(check('alice', 4)).toBe('revoked');
    expect(check('alice', 5, Date.now() + 1000)).toBe('active');
    // Of every partition, not only of those whose offsets give it away.
    expect(warnings.filter((warning) => warning.includes(ANOTHER_LOG))).toHaveLength(PARTITIONS);
    await announce('dave', 5);
    await vi.waitFor(() => expect(check('dave', 4)).toBe('revoked'), WAIT);
  });

  test('finds the partition whose answer cannot be decoded, and proves nothing by that one until it can', async () => {
    const [bad, realm] = [partitionOf('erin', PARTITIONS), partitionOf('*', PARTITIONS)];
    const elsewhere =
      ['frank', 'grace', 'heidi', 'ivan', 'judy'].find((sub) => partitionOf(sub, PARTITIONS) !== bad) ?? '';
    expect(bad).not.toBe(realm);
    await announce('erin', 5);
    const mend = await spoil(
      `${directory}/kafka/log/${TOPICS.sessionVersions}-${bad}/00000000000000000000.log`,
      'u:erin',
    );
    const other = createSidecar({
      brokers: [`127.0.0.1:${port}`],
      issuer: 'http://127.0.0.1:9',
      audience: 'shop',
      service: 'orders',
      onWarning: (message) => warnings.push(message),
    });
    try {
      const verdict = (sub: string, s: number) =>
        other.check(sessionVersions({ ...CLAIMS, sub, sid: sub, ver: { s, t: 0, r: 0, at: Date.now() } }));
      other.start().catch(() => {});
      await vi.waitFor(() => expect(verdict(elsewhere, 9)).toBe('active'), WAIT);
      await vi.waitFor(() => expect(other.status()).toContain(`partition ${bad}: the answer cannot be decoded`), WAIT);
      await sleep(1000);
      expect(verdict('erin', 9)).toBe('unprovable');
      expect(verdict(elsewhere, 9)).toBe('active');
      await mend();
      await vi.waitFor(() => expect(verdict('erin', 4)).toBe('revoked'), WAIT);
      await vi.waitFor(() => expect(other.state).toBe('live'), WAIT);
      expect(verdict('erin', 9)).toBe('active');
    } finally {
      await other.close();
    }
  });
});

/** Gives the batch that holds a record's key a compression that nobody knows. @returns what takes it back. */
async function spoil(file: string, key: string): Promise<() => Promise<void>> {
  const log = await readFile(file);
  let batch = 0;
  for (let next = 0; next < log.indexOf(key); next += 12 + log.readInt32BE(next + 8)) batch = next;
  // The low byte of the attributes, behind offset, length, epoch, magic and checksum.
  const at = batch + 22;
  const write = async (attributes: number) => {
    const handle = await open(file, 'r+');
    await handle.write(Uint8Array.of(attributes), 0, 1, at);
    await handle.close();
  };
  await write((log[at] ?? 0) | 0b111);
  return () => write(log[at] ?? 0);
}
