import { MAX_APPLIED, type Receipt, type VersionRecord } from '@curfew/contracts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Bump, Exposure } from '../../../libs/sidecar/src/acceptances.ts';
import type { Status } from '../../../libs/sidecar/src/lifecycle.ts';
import { Receipts } from '../../../libs/sidecar/src/receipts.ts';
import { NOW } from './issuer.ts';
import { BOUND } from './store.ts';

const PARTITIONS = [{ offset: 40, tick: NOW, ageMs: 250 }];

let state: Status;
let said: Receipt[];
/** What comes of each receipt. */
let deliver: () => Promise<void>;
let exposure: Exposure;
let exposed: number[];
/** What exposures were asked for. */
let counted: readonly Bump[];
/** Receipts cannot be made. */
let broken: boolean;
let sent: boolean[];
let warnings: string[];
let receipts: Receipts;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  [state, said, exposed, counted, sent, warnings] = ['starting', [], [], [], [], []];
  deliver = async () => {};
  exposure = { requests: 0, atLeast: false };
  broken = false;
  receipts = create(BOUND);
});
afterEach(() => {
  vi.useRealTimers();
});

const create = (maxViewAgeMs: number) =>
  new Receipts({
    service: 'orders',
    instance: 'orders-1',
    maxViewAgeMs,
    state: () => state,
    partitions: () => PARTITIONS,
    exposures: (bumps) => {
      if (broken) throw new Error('a defect');
      counted = bumps;
      return bumps.map(() => exposure);
    },
    send: (receipt) => {
      said.push(receipt);
      return deliver();
    },
    onExposed: (requests) => exposed.push(requests),
    onSent: (ok) => sent.push(ok),
    onWarning: (message) => warnings.push(message),
    now: Date.now,
  });

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
async function goLive(): Promise<void> {
  void receipts.start();
  await pass(0);
  state = 'live';
  said = [];
  await pass(500);
}
function apply(id: string, offset = 1, members: Partial<VersionRecord> = {}): void {
  const record: VersionRecord = {
    kind: 'version',
    scope: 'u:alice',
    current: 2,
    floor: 2,
    at: NOW,
    why: 'x',
    id,
    offset,
    ...members,
  };
  receipts.applied({ record, partition: 3, at: Date.now(), since: NOW - 5, certainSince: NOW + 5 });
}
const ids = () => said.map(({ applied }) => applied.map(({ id }) => id));

describe('a receipt', () => {
  test('is said several times within a bound that is short, as it is a lease for so long', async () => {
    receipts = create(600);
    await goLive();
    said = [];
    await pass(600);
    expect(said).toHaveLength(2);
  });

  test('that cannot be made is none, and the next one comes all the same', async () => {
    await goLive();
    broken = true;
    apply('a');
    await pass(60);
    expect(sent.at(-1)).toBe(false);
    broken = false;
    await pass(1000);
    expect(sent.at(-1)).toBe(true);
  });

  test('says who the sidecar is, how it is, and how far it has come', async () => {
    void receipts.start();
    await pass(0);
    expect(said).toEqual([
      {
        service: 'orders',
        instance: 'orders-1',
        state: 'starting',
        at: NOW,
        startedAt: NOW,
        boundMs: BOUND,
        partitions: PARTITIONS,
        applied: [],
      },
    ]);
  });

  test('is sent every second', async () => {
    await goLive();
    await pass(3000);
    expect(said.map(({ at }) => at)).toEqual([NOW + 1000, NOW + 2000, NOW + 3000]);
  });

  test('is sent at once when the state has changed', async () => {
    await goLive();
    receipts.news();
    await pass(0);
    expect(said.map(({ at, state }) => [at, state])).toEqual([[NOW + 500, 'live']]);
  });

  test('is sent at once after a bump, and names its event once', async () => {
    await goLive();
    apply('7f', 41);
    await pass(0);
    const event = { id: '7f', partition: 3, offset: 41, at: NOW + 500, since: NOW - 5, exposed: 0 };
    expect(said).toMatchObject([{ at: NOW + 500, applied: [event] }]);
    await pass(1000);
    expect(ids()).toEqual([['7f'], []]);
  });

  test('names an event with the last of its scopes, and what was let through on all of them', async () => {
    await goLive();
    exposure = { requests: 2, atLeast: false };
    for (let i = 0; i < 3; i++) apply('large', 41, { more: true });
    apply('small', 40);
    await pass(2000);
    expect(ids().flat()).toEqual(['small']);
    apply('large', 41);
    await pass(50);
    expect(said.at(-1)).toMatchObject({ applied: [{ id: 'large', at: NOW + 2500, exposed: 8 }] });
  });

  test('is shared by bumps of one turn, and by those within 50 ms of the last one', async () => {
    await goLive();
    for (const id of ['a', 'b']) apply(id);
    await pass(10);
    apply('c');
    await pass(39);
    apply('d');
    await pass(1);
    expect(ids()).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(said.map(({ at }) => at)).toEqual([NOW + 500, NOW + 550]);
  });

  test('names at most a hundred events, and the next one the others', async () => {
    await goLive();
    for (let i = 0; i < MAX_APPLIED + 1; i++) apply(`${i}`);
    await pass(50);
    expect(ids().map(({ length }) => length)).toEqual([MAX_APPLIED, 1]);
  });

  test('waits for the one before it', async () => {
    await goLive();
    const first = Promise.withResolvers<void>();
    deliver = () => first.promise;
    apply('a');
    await pass(0);
    apply('b');
    await pass(2000);
    expect(ids()).toEqual([['a']]);
    first.resolve();
    await pass(0);
    expect(ids()).toEqual([['a'], ['b']]);
  });
});

describe('what was exposed', () => {
  test('is counted since each event was acknowledged, as the sidecar reckons, and says since when', async () => {
    await goLive();
    apply('a');
    await pass(0);
    expect(counted).toEqual([{ scope: 'u:alice', current: 2, since: NOW - 5, certainSince: NOW + 5 }]);
    expect(said[0]?.applied).toMatchObject([{ since: NOW - 5 }]);
  });

  test('is said of its event and counted', async () => {
    await goLive();
    exposure = { requests: 2, atLeast: true };
    apply('a');
    await pass(0);
    expect(said[0]?.applied).toMatchObject([{ id: 'a', exposed: 2, atLeast: true }]);
    expect(exposed).toEqual([2]);
  });

  test('is of all scopes of an event together', async () => {
    await goLive();
    exposure = { requests: 2, atLeast: false };
    for (const id of ['a', 'b', 'a']) apply(id);
    await pass(0);
    expect(said[0]?.applied).toMatchObject([
      { id: 'b', exposed: 2 },
      { id: 'a', exposed: 4 },
    ]);
    expect(said[0]?.applied[0]).not.toHaveProperty('atLeast');
  });
});

describe('the start', () => {
  test.each([
    ['once a receipt is delivered, the second where the first is not', [false, true], 400],
    ['after half a second, where none is', [false, false, false, false], 501],
  ])('is over %s', async (_when, delivered, afterMs) => {
    receipts = create(800);
    deliver = async () => {
      if (!delivered.shift()) throw new Error('Kafka is away');
    };
    let over = -1;
    void receipts.start().then(() => {
      over = Date.now() - NOW;
    });
    await pass(5000);
    expect(over).toBe(afterMs);
  });
});

describe('a receipt that is not delivered', () => {
  const fails = () => Promise.reject(new Error('Kafka is away'));

  test('leaves what it said of events to the next one, a second later', async () => {
    await goLive();
    deliver = fails;
    apply('a');
    await pass(0);
    deliver = async () => {};
    await pass(999);
    expect(ids()).toEqual([['a']]);
    await pass(1);
    expect(ids()).toEqual([['a'], ['a']]);
    await pass(1000);
    expect(ids()).toEqual([['a'], ['a'], []]);
    expect(sent).toEqual([true, false, true, true]);
  });

  test('is worth one warning in an outage', async () => {
    await goLive();
    for (let outage = 1; outage <= 2; outage++) {
      deliver = fails;
      await pass(2000);
      expect(warnings).toHaveLength(outage - 1);
      await pass(10_000);
      expect(warnings).toHaveLength(outage);
      deliver = async () => {};
      await pass(1000);
    }
  });

  test('keeps ten thousand events, the newest', async () => {
    await goLive();
    deliver = fails;
    for (let i = 0; i < 10_001; i++) apply(`${i}`);
    await pass(0);
    deliver = async () => {};
    await pass(10_000);
    const told = ids().slice(1).flat();
    expect([told.length, told[0], told.at(-1)]).toEqual([10_000, '1', '10000']);
  });
});

describe('the last receipt', () => {
  test('says that the sidecar is closed, and what was not said before', async () => {
    await goLive();
    apply('a');
    state = 'closed';
    await receipts.close();
    await pass(5000);
    expect(said).toMatchObject([{ state: 'closed', applied: [{ id: 'a' }] }]);
  });

  test('comes after the one on its way, and none after it', async () => {
    await goLive();
    deliver = () => new Promise((resolve) => setTimeout(resolve, 100));
    receipts.news();
    await pass(0);
    state = 'closed';
    const closed = receipts.close();
    await pass(99);
    expect(said.map((one) => one.state)).toEqual(['live']);
    await pass(5000);
    await closed;
    expect(said.map((one) => one.state)).toEqual(['live', 'closed']);
  });

  test('is given up after a second', async () => {
    await goLive();
    deliver = () => new Promise(() => {});
    state = 'closed';
    let closed = false;
    const closing = receipts.close().then(() => {
      closed = true;
    });
    await pass(999);
    expect(closed).toBe(false);
    await pass(1);
    await pass(1);
    await closing;
  });

  test('is not sent by a sidecar that never started', async () => {
    state = 'closed';
    await receipts.close();
    expect(said).toEqual([]);
  });
});
