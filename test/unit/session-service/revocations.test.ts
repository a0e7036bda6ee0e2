import { CurfewError, effectsOf, type SecurityEventToken, sessionScope } from '@curfew/contracts';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Revocations } from '../../../services/session-service/src/sessions/revocations.ts';
import type { Waiting } from '../../../services/session-service/src/store/outbox.ts';

let now = 0;
let waiting: Waiting[] = [];
let notReady: string[] = [];
const publish = vi.fn(async (set: SecurityEventToken) => ({ id: set.jti, partition: 1, offset: 2 }));
const warn = vi.fn();
const outbox = {
  add: async (one: Waiting) => void waiting.push(one),
  remove: async (one: Waiting) => {
    waiting = waiting.filter(({ set }) => set.jti !== one.set.jti);
  },
  first: async () => waiting[0],
};
const revocations = new Revocations({
  issuer: 'https://issuer',
  outbox,
  publisher: { publish, notReady: () => notReady },
  now: () => now,
  warn,
});
const end = (sid: string) => revocations.end({ subject: 'alice', session: sid });
const published = () => publish.mock.calls.flatMap(([set]) => effectsOf(set).effects.map(({ scope }) => scope));

beforeEach(() => {
  now = 1_000_000;
  waiting = [];
  notReady = [];
  publish.mockClear();
  warn.mockClear();
});

describe('the end of a session', () => {
  test('is in the outbox before anything else happens, and leaves it with the acknowledgement', async () => {
    const order: string[] = [];
    publish.mockImplementationOnce(async (set) => {
      order.push(`publish, ${waiting.length} waiting`);
      return { id: set.jti, partition: 1, offset: 2 };
    });
    const revocation = await revocations.end({ subject: 'alice', session: 's1' }, async () => {
      order.push(`decided, ${waiting.length} waiting`);
    });
    expect(order).toEqual(['decided, 1 waiting', 'publish, 1 waiting']);
    expect(waiting).toEqual([]);
    expect(revocation).toMatchObject({ partition: 1, offset: 2 });
    expect(published()).toEqual([sessionScope('s1')]);
  });

  test('holds though what it ends cannot be tidied up: the event does that', async () => {
    const away = async () => Promise.reject(new CurfewError('store_unavailable'));
    expect(await revocations.end({ subject: 'alice', session: 's1' }, away)).toMatchObject({ partition: 1, offset: 2 });
    expect(published()).toEqual([sessionScope('s1')]);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test('holds while the bus is down: it says so, and follows in order when the bus is back', async () => {
    notReady = ['Kafka is away'];
    expect(await end('s1')).toMatchObject({ status: 'accepted, not yet effective' });
    notReady = [];
    publish.mockRejectedValueOnce(new CurfewError('bus_unavailable'));
    expect(await end('s2')).toMatchObject({ status: 'accepted, not yet effective' });
    publish.mockClear();

    now += 10_000;
    await revocations.drain();
    expect(published()).toEqual([sessionScope('s1'), sessionScope('s2')]);
    expect(waiting).toEqual([]);
  });

  test('is left to the request that makes it, for as long as that may take', async () => {
    notReady = ['Kafka is away'];
    await end('s1');
    notReady = [];
    await revocations.drain();
    expect(publish).not.toHaveBeenCalled();
  });

  test('stays in the outbox when it cannot be published, and the log says why', async () => {
    notReady = ['Kafka is away'];
    await end('s1');
    notReady = [];
    now += 10_000;
    publish.mockRejectedValueOnce(new CurfewError('bus_unavailable'));
    await revocations.drain();
    expect(waiting).toHaveLength(1);
    expect(warn).toHaveBeenCalledOnce();
  });
});
