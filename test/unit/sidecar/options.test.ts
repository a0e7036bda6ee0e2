import { CurfewError } from '@curfew/contracts';
import { createSidecar, type SidecarOptions } from '@curfew/sidecar';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../../libs/sidecar/src/backoff.ts';
import { Lifecycle } from '../../../libs/sidecar/src/lifecycle.ts';
import { readOptions } from '../../../libs/sidecar/src/options.ts';

const OPTIONS: SidecarOptions = {
  brokers: ['127.0.0.1:9092'],
  issuer: 'https://issuer.test',
  audience: 'shop',
  service: 'orders',
};

describe('the options', () => {
  test('have defaults', () => {
    expect(readOptions(OPTIONS)).toMatchObject({
      jwksUrl: 'https://issuer.test/.well-known/jwks.json',
      windowMs: 900_000,
      maxEntries: 100_000,
      maxViewAgeMs: 2000,
      readThroughTimeoutMs: 50,
      maxClockSkewMs: 250,
      tokenCacheSize: 10_000,
      receipts: true,
    });
  });

  test('name each sidecar otherwise', () => {
    const [one, other] = [readOptions(OPTIONS).instance, readOptions(OPTIONS).instance];
    expect(one).toMatch(new RegExp(`^.+-${process.pid}-[0-9a-f]{4}$`));
    expect(one.slice(0, -4)).toBe(other.slice(0, -4));
    expect(readOptions({ ...OPTIONS, instance: 'orders-1' }).instance).toBe('orders-1');
  });

  test.each<[string, object]>([
    ['brokers', { brokers: [] }],
    ['brokers', { brokers: ['localhost'] }],
    ['brokers', { brokers: 'localhost:9092' }],
    ['issuer', { issuer: '' }],
    ['audience', { audience: undefined }],
    ['service', { service: 7 }],
    ['instance', { instance: '' }],
    ['receipts', { receipts: 'no' }],
    ['redisUrl', { redisUrl: 'localhost:6379' }],
    ['redisUrl', { redisUrl: 'redis://a:6379,b:6379' }],
    ['jwksUrl', { jwksUrl: 'file:///etc/passwd' }],
    ['jwksUrl', { issuer: 'not a url' }],
    ['partitions', { partitions: 0 }],
    ['windowMs', { windowMs: 999 }],
    ['windowMs', { windowMs: Number.NaN }],
    ['maxEntries', { maxEntries: 1.5 }],
    ['maxClockSkewMs', { maxClockSkewMs: -1 }],
    ['maxViewAgeMs', { maxViewAgeMs: 250 }],
    ['maxViewAgeMs', { maxClockSkewMs: 2000 }],
    ['maxViewAgeMs', { maxViewAgeMs: Number.POSITIVE_INFINITY }],
    ['readThroughTimeoutMs', { readThroughTimeoutMs: 0 }],
    ['tokenCacheSize', { tokenCacheSize: 0 }],
    ['startTimeoutMs', { startTimeoutMs: '5s' }],
    ['tls', { tls: { cert: 'x', key: 'x' } }],
    ['tls', { redisSecurity: { tls: { cert: 'x', key: 'x' } } }],
    ['sasl.mechanism', { sasl: { mechanism: 'SCRAM', username: 'a', password: 'b' } }],
    ['sasl.username', { sasl: { mechanism: 'PLAIN', password: 'b' } }],
    ['sasl.password', { sasl: { mechanism: 'SCRAM-SHA-256', username: 'a', password: '' } }],
  ])('name %s when it has a value that cannot be used: %o', (name, wrong) => {
    const create = () => createSidecar({ ...OPTIONS, ...wrong } as SidecarOptions);
    expect(create).toThrow(CurfewError);
    expect(create).toThrow(expect.objectContaining({ code: 'option_invalid', detail: expect.stringContaining(name) }));
  });
});

describe('a warning', () => {
  test('reaches the logger, whose failure ends nothing', () => {
    const heard: unknown[] = [];
    const onWarning = (...warning: unknown[]): void => {
      heard.push(warning);
      throw new Error('the disk is full');
    };
    readOptions({ ...OPTIONS, onWarning }).onWarning('lost', 'why');
    expect(heard).toEqual([['lost', 'why']]);
  });
});

describe('the pause before another try', () => {
  test('has full jitter, doubles with each failure, and never passes a second', () => {
    expect([1, 2, 3, 30].map((failures) => backoffMs(failures, 1))).toEqual([60, 110, 210, 1010]);
    expect(backoffMs(30, 0)).toBe(10);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        expect(backoffMs(failures, random)).toBeGreaterThanOrEqual(10);
        expect(backoffMs(failures, random)).toBeLessThanOrEqual(1010);
      }),
    );
  });
});

describe('the lifecycle', () => {
  test('leads from the start to live, and back and forth as the views get old and young again', () => {
    const turns: string[] = [];
    const lifecycle = new Lifecycle((from, to) => turns.push(`${from} → ${to}`));
    for (const status of [
      'starting',
      'live',
      'behind',
      'cut-off',
      'behind',
      'live',
      'cut-off',
      'live',
      'closed',
    ] as const)
      expect(lifecycle.turn(status)).toBe(true);
    expect(turns).toHaveLength(9);
    expect(turns.slice(0, 3)).toEqual(['idle → starting', 'starting → live', 'live → behind']);
  });

  test('is not cut off before anything was inside the bound, tells no turn twice, and stays closed', () => {
    const turns: string[] = [];
    const lifecycle = new Lifecycle((_, to) => turns.push(to));
    expect(lifecycle.turn('live')).toBe(false);
    lifecycle.turn('starting');
    expect(lifecycle.turn('starting')).toBe(false);
    expect(lifecycle.turn('cut-off')).toBe(false);
    lifecycle.turn('closed');
    expect(lifecycle.turn('starting')).toBe(false);
    expect(lifecycle.status).toBe('closed');
    expect(turns).toEqual(['starting', 'closed']);
  });
});

describe('a sidecar', () => {
  test('that is not started proves nothing, says so, and refuses to start once it is closed', async () => {
    const sidecar = createSidecar(OPTIONS);
    expect([sidecar.state, sidecar.status()]).toEqual(['idle', 'idle']);
    expect(sidecar.notReady()).toEqual(['the sidecar is not started']);
    await Promise.all([sidecar.close(), sidecar.close()]);
    expect(sidecar.notReady()).toEqual(['the sidecar is closed']);
    await expect(sidecar.start()).rejects.toMatchObject({ code: 'not_ready' });
    expect([sidecar.state, sidecar.status()]).toEqual(['closed', 'closed']);
  });

  test('lets a route ask for a tighter bound than its own, never for a looser one', () => {
    const sidecar = createSidecar({ ...OPTIONS, maxViewAgeMs: 1500 });
    expect([sidecar.boundOf(), sidecar.boundOf(1000), sidecar.boundOf(251)]).toEqual([1500, 1000, 251]);
    for (const wrong of [1501, 250, Number.NaN])
      expect(() => sidecar.boundOf(wrong)).toThrow(expect.objectContaining({ code: 'option_invalid' }));
  });
});
