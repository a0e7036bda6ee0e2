import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  decodeReceipt,
  encodeVersionRecord,
  partitionOf,
  type Receipt,
  type ScopeKey,
  TOPICS,
} from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import { createSidecar, type Sidecar } from '@curfew/sidecar';
import type { Admin, Consumer, Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startKafka } from '../../infra/local/kafka.mjs';
import { freePort } from '../../infra/local/ports.mjs';
import type { Started } from '../../infra/local/processes.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { readAnnouncedVersions } from '../../services/session-service/src/events/kafka-announced-versions.ts';
import { ensureTopics } from '../../services/session-service/src/events/kafka-topics.ts';
import { Fleet, type HeardReceipt } from '../../services/session-service/src/receipts/fleet.ts';
import { readReceipts } from '../../services/session-service/src/receipts/kafka-receipts.ts';
import { OpenRevocation } from '../../services/session-service/src/receipts/open-revocation.ts';
import { reportReply } from '../../services/session-service/src/routes/revocation-replies.ts';
import { revocationOf } from '../support/receipts.ts';
import { tickIntoVersions } from '../support/ticking.ts';
import { AUDIENCE, createIssuer } from '../unit/sidecar/issuer.ts';

const PARTITIONS = 4;
const HOUR_MS = 3_600_000;
const WAIT = { timeout: 15_000, interval: 10 };

/** A Kafka of this file's own, as it is paused here, and its topic of receipts taken away. */
let directory: string;
let kafka: Started;
let brokers: string[];
let admin: Admin;
let producer: Producer;
let consumer: Consumer;
let jwks: Server;
let sidecar: Sidecar;
const receipts: Receipt[] = [];
const warnings: string[] = [];
const issuer = createIssuer();
const ticker = tickIntoVersions(() => producer, PARTITIONS);

beforeAll(async () => {
  const port = await freePort();
  directory = await mkdtemp(`${tmpdir()}/curfew-receipts-`);
  kafka = await startKafka({ port, directory });
  brokers = [`127.0.0.1:${port}`];
  const client = createKafka({ brokers, clientId: 'receipts-test' });
  admin = client.admin();
  producer = client.producer({ allowAutoTopicCreation: false });
  consumer = client.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 50 });
  await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
  await ensureTopics(admin, PARTITIONS);
  await consumer.subscribe({ topic: TOPICS.receipts, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message: { key, value } }) => {
      const receipt = decodeReceipt(value);
      if (!receipt.ok) throw new Error(receipt.detail);
      expect(key?.toString()).toBe(receipt.value.instance);
      receipts.push(receipt.value);
    },
  });
  const { jwk } = await issuer;
  jwks = createServer((_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
  await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
  sidecar = createSidecar({ ...optionsOf('orders-1'), onWarning: (message) => warnings.push(message) });
  ticker.start();
  await sidecar.start();
});

afterAll(async () => {
  ticker.stop();
  await sidecar.close();
  await Promise.allSettled([admin.disconnect(), producer.disconnect(), consumer.disconnect()]);
  await kafka.stop('SIGKILL');
  jwks.closeAllConnections();
  jwks.close();
  await removeDirectory(directory);
});

const issuerUrl = () => `http://127.0.0.1:${(jwks.address() as AddressInfo).port}`;

const optionsOf = (instance: string) => ({
  brokers,
  issuer: issuerUrl(),
  audience: AUDIENCE,
  service: 'orders',
  instance,
});

/** A token minted a second ago, of before any bump. */
async function tokenOf(sub: string): Promise<string> {
  const at = Date.now() + 1000;
  const claims = { iss: issuerUrl(), sub, sid: sub, exp: Math.ceil(at / 1000) + 600, ver: { s: 1, t: 0, r: 0, at } };
  return (await issuer).sign(claims);
}

/** Announces that an event, acknowledged at a time, ended the sessions of a subject. */
async function announce(sub: string, id: string, at: number, offset = 0, more = {}): Promise<void> {
  const scope: ScopeKey = `u:${sub}`;
  const record = encodeVersionRecord({
    kind: 'version',
    scope,
    current: at,
    floor: at,
    at,
    why: 'x',
    id,
    offset,
    ...more,
  });
  const partition = partitionOf(sub, PARTITIONS);
  await producer.send({ topic: TOPICS.sessionVersions, acks: -1, messages: [{ ...record, partition }] });
}

/** What the first receipt that names an event says of it. */
const saidOf = (id: string) =>
  vi.waitFor(() => {
    const [said] = receipts.flatMap(({ applied }) => applied.filter((event) => event.id === id));
    if (said === undefined) throw new Error('no receipt names it yet');
    return said;
  }, WAIT);

describe('receipts', () => {
  test('say every second how far the sidecar is', async () => {
    await vi.waitFor(() => expect(receipts.filter(({ state }) => state === 'live').length).toBeGreaterThan(2), WAIT);
    const last = receipts.at(-1);
    expect(last).toMatchObject({ service: 'orders', instance: 'orders-1', state: 'live', boundMs: 2000, applied: [] });
    expect(last?.partitions).toHaveLength(PARTITIONS);
    for (const { tick, ageMs } of last?.partitions ?? []) {
      expect(Math.abs(Date.now() - tick)).toBeLessThan(3000);
      expect(ageMs).toBeLessThanOrEqual(2000);
    }
    const since = receipts.filter(({ state }) => state === 'live').map(({ at }) => at);
    expect((since.at(-1) ?? 0) - (since.at(-2) ?? 0)).toBeGreaterThan(500);
  });

  test('name an event within a second of its announcement, and nobody who was let through', async () => {
    const sub = 'alice';
    const token = await tokenOf(sub);
    expect(await sidecar.authenticate(token)).toMatchObject({ ok: true });
    await sleep(20);
    const [id, at] = [randomUUID(), Date.now()];
    await announce(sub, id, at, 7);
    const said = await saidOf(id);
    const { at: appliedAt, since } = said;
    expect(said).toEqual({ id, partition: partitionOf(sub, PARTITIONS), offset: 7, at: appliedAt, since, exposed: 0 });
    expect(at - since).toBeGreaterThanOrEqual(0);
    expect(at - since).toBeLessThan(20);
    expect(said.at - at).toBeLessThan(1000);
    const receipt = receipts.find(({ applied }) => applied.some((event) => event.id === id));
    expect((receipt?.at ?? Number.NaN) - said.at).toBeLessThan(200);
    expect(receipt?.partitions[said.partition]?.offset).toBe(7);
    expect(await sidecar.authenticate(token)).toMatchObject({ ok: false, code: 'session_revoked' });
  });

  test('name an event with the last request that announces it, and a restore begins before it until then', async () => {
    const [id, at, sub] = [randomUUID(), Date.now(), 'frank'];
    const partition = partitionOf(sub, PARTITIONS);
    const position = async () => (await readAnnouncedVersions({ brokers }, PARTITIONS))[partition]?.position;
    await announce(sub, id, at, 5000, { more: true });
    await announce('grace', 'grace-later', Date.now());
    await saidOf('grace-later');
    expect(receipts.flatMap(({ applied }) => applied).filter((event) => event.id === id)).toEqual([]);
    expect(await position()).toBe(4999);
    await announce(sub, id, at + 1, 5000);
    expect(await saidOf(id)).toMatchObject({ offset: 5000, exposed: 0 });
    expect(await position()).toBe(5000);
  });

  test('count the requests that were accepted between the acknowledgement and the application', async () => {
    const [bob, carol] = [await tokenOf('bob'), await tokenOf('carol')];
    for (const token of [bob, carol]) await sidecar.authenticate(token);
    await sleep(100);
    const [id, acknowledgedAt] = [randomUUID(), Date.now()];
    await sleep(100);
    for (const token of [bob, bob, carol, bob])
      expect(await sidecar.authenticate(token)).toMatchObject({ ok: true, session: { source: 'memory' } });
    const refused = await sidecar.authenticate(bob);
    if (refused.ok) sidecar.turnedAway('insufficient_user_authentication', refused.session);
    await announce('bob', id, acknowledgedAt);
    expect(await saidOf(id)).toMatchObject({ exposed: 3 });
    await announce('bob', id, acknowledgedAt);
    await announce('carol', 'carol-later', Date.now());
    await saidOf('carol-later');
    expect(receipts.flatMap(({ applied }) => applied).filter((event) => event.id === id)).toHaveLength(1);
  });
});

test('name an event that was acknowledged within the bound before the sidecar began, and none from before that', async () => {
  const [early, late] = [randomUUID(), randomUUID()];
  await announce('ivan', early, Date.now() - 3000);
  await announce('judy', late, Date.now());
  const next = createSidecar(optionsOf('orders-next'));
  try {
    await next.start();
    const ids = () =>
      receipts
        .filter(({ instance }) => instance === 'orders-next')
        .flatMap(({ applied }) => applied.map(({ id }) => id));
    await vi.waitFor(() => expect(ids()).toContain(late), WAIT);
    expect(ids()).not.toContain(early);
  } finally {
    await next.close();
  }
});

test.each([
  ['an hour behind', -HOUR_MS],
  ['behind', -300],
  ['ahead', 300],
  ['a second ahead', 1000],
])(
  'are dated by the broker, and so is what was let through, where the clock of the sidecar is %s',
  async (_how, offMs) => {
    const heard: HeardReceipt[] = [];
    const fleet = new Fleet();
    const sub = `henry${offMs}`;
    const instance = `orders${offMs}`;
    const reader = readReceipts({
      brokers,
      now: Date.now,
      onReceipt: (one) => {
        heard.push(one);
        fleet.hear(one);
      },
      onRejected: () => {},
      onRefused: () => {},
    });
    // With time for the ages of views, to which a clock that is ahead adds.
    const late = createSidecar({ ...optionsOf(instance), now: () => Date.now() + offMs, maxViewAgeMs: 10_000 });
    const began = Date.now();
    reader.start();
    try {
      await late.start();
      const said = await vi.waitFor(() => {
        const one = heard.find((receipt) => receipt.instance === instance);
        if (one === undefined) throw new Error('it has said nothing yet');
        return one;
      }, WAIT);
      expect(Math.abs(said.at - offMs - began)).toBeLessThan(5000);
      expect(said.heardAt).toBeGreaterThanOrEqual(began);
      expect(said.heardAt).toBeLessThanOrEqual(Date.now());

      const token = await tokenOf(sub);
      for (let i = 0; i < 30; i++) {
        await late.authenticate(token);
        await sleep(10);
      }
      await sleep(100);
      const [id, acknowledgedAt] = [randomUUID(), Date.now()];
      await sleep(100);
      expect(await late.authenticate(token)).toMatchObject({ ok: true, session: { source: 'memory' } });
      await announce(sub, id, acknowledgedAt);
      const partition = partitionOf(sub, PARTITIONS);
      const open = new OpenRevocation(revocationOf(acknowledgedAt, { id, partition, offset: 0 }), 10_000);
      const { exposed, atLeast } = await vi.waitFor(() => {
        for (const one of fleet.sidecars(Date.now()))
          if (one.last.instance === instance) open.consider(one, Date.now());
        const [told] = reportReply(open.report()).sidecars;
        if (told?.exposed === undefined) throw new Error('it has not said it yet');
        return told;
      }, WAIT);
      // Where every record is slow, the clocks cannot be compared so closely.
      if (atLeast) expect(exposed).toBeLessThanOrEqual(1);
      else expect(exposed).toBe(1);
    } finally {
      await Promise.all([late.close(), reader.close()]);
    }
  },
);

describe('without Kafka', () => {
  const noticed = () => warnings.filter((warning) => warning.includes('receipts are not delivered'));

  test('what was applied and could not be said is said later', async () => {
    await admin.deleteTopics({ topics: [TOPICS.receipts] });
    const id = randomUUID();
    await announce('dave', id, Date.now());
    await vi.waitFor(() => expect(noticed()).toHaveLength(1), WAIT);
    const appliedBefore = Date.now();
    await ensureTopics(admin, PARTITIONS);
    expect((await saidOf(id)).at).toBeLessThan(appliedBefore);
    expect(noticed()).toHaveLength(1);
  });

  test('that hangs, receipts come again when it moves again', async () => {
    process.kill(-kafka.pid, 'SIGSTOP');
    const stoppedAt = Date.now();
    await sleep(5000);
    expect(sidecar.state).toBe('cut-off');
    process.kill(-kafka.pid, 'SIGCONT');
    const seen = () => receipts.filter(({ at, state }) => state === 'live' && at > stoppedAt + 5000);
    await vi.waitFor(() => expect(seen().length).toBeGreaterThan(1), WAIT);
    const id = randomUUID();
    await announce('erin', id, Date.now());
    await saidOf(id);
  });
});

describe('the close', () => {
  test('is said', async () => {
    await sidecar.close();
    await vi.waitFor(() => expect(receipts.at(-1)).toMatchObject({ instance: 'orders-1', state: 'closed' }), WAIT);
  });
});
