import { CurfewError } from '@curfew/contracts';
import type { StatusChange } from '@curfew/sidecar';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Watch } from '../../../libs/sidecar/src/watch.ts';
import { NOW } from './issuer.ts';
import { BOUND } from './store.ts';

const YOUNG = [300, 400];
const ONE_OLD = [300, BOUND + 1];
const ALL_OLD = [BOUND + 1, BOUND + 2];
const CLOSED = new CurfewError('not_ready', 'the sidecar is closed');

let now: number;
let ages: number[];
let missing: string[];
let storeProves: boolean;
let asked: number;
let changes: StatusChange[];
let warnings: string[];
let watch: Watch;
let storeTrouble: string | undefined;

beforeEach(() => {
  storeTrouble = undefined;
  [now, ages, missing, storeProves, asked, changes, warnings] = [NOW, [], [], false, 0, [], []];
  watch = watchWith(async () => {
    asked++;
    return storeProves;
  });
});
afterEach(() => watch.stop(CLOSED));

const watchWith = (store: (() => Promise<boolean>) | undefined) =>
  new Watch({
    maxViewAgeMs: BOUND,
    viewAgesMs: () => ages,
    missing: () => missing,
    storeProves: store,
    storeTrouble: () => storeTrouble,
    onStatus: (change) => changes.push(change),
    onWarning: (message) => warnings.push(message),
    onLook: () => {},
    now: () => now,
  });

/** How the views are from now on, and a look at them. */
async function views(of: number[]): Promise<void> {
  ages = of;
  watch.look();
  await new Promise(setImmediate);
}

const settled = (promise: Promise<void>) =>
  Promise.race([promise.then(() => true), new Promise((resolve) => setImmediate(resolve, false))]);

describe("a sidecar's life", () => {
  test('goes from the start to live, behind and cut-off as its views get old, and back, and tells each change', async () => {
    watch.start();
    for (const of of [YOUNG, ONE_OLD, ALL_OLD, ONE_OLD, YOUNG, ALL_OLD, YOUNG]) await views(of);
    watch.stop(CLOSED);
    expect(changes.map(({ from, to }) => `${from} → ${to}`)).toEqual([
      'idle → starting',
      'starting → live',
      'live → behind',
      'behind → cut-off',
      'cut-off → behind',
      'behind → live',
      'live → cut-off',
      'cut-off → live',
      'live → closed',
    ]);
    expect(warnings).toHaveLength(6);
    expect(warnings[0]).toContain('the sidecar is behind: the view of partition 1 is up to 2001 ms old');
    expect(changes[1]?.says).toBe('live: all 2 views are at most 400 ms old');
  });

  test('is told as it is now, not as it was at the last look', async () => {
    watch.start();
    await views(YOUNG);
    ages = ALL_OLD;
    expect(watch.state).toBe('cut-off');
  });

  test('is still at its start while the partitions catch up one after the other, for as long as the bound', async () => {
    watch.start();
    await views(ONE_OLD);
    expect([watch.state, await settled(watch.canServe)]).toEqual(['starting', false]);
    now += BOUND + 1;
    await views(ONE_OLD);
    expect([watch.state, await settled(watch.canServe)]).toEqual(['behind', true]);
  });

  test('begins once, and ends for good', async () => {
    expect([watch.start(), watch.start()]).toEqual([true, false]);
    watch.stop(CLOSED);
    expect([watch.start(), watch.state]).toEqual([false, 'closed']);
    await expect(watch.canServe).rejects.toBe(CLOSED);
  });

  test('is looked at by itself', async () => {
    vi.useFakeTimers();
    try {
      watch.start();
      ages = YOUNG;
      vi.advanceTimersByTime(250);
      expect(changes.at(-1)?.to).toBe('live');
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a sidecar can serve', () => {
  test('once its views are young', async () => {
    watch.start();
    expect(await settled(watch.canServe)).toBe(false);
    await views(YOUNG);
    expect(await settled(watch.canServe)).toBe(true);
    expect(watch.notReady()).toEqual([]);
  });

  test('while it is cut off, as long as the store proves sessions', async () => {
    missing = ['Kafka does not answer'];
    storeProves = true;
    watch.start();
    await views([]);
    expect([watch.state, await settled(watch.canServe)]).toEqual(['starting', true]);
    expect(watch.notReady()).toEqual([]);
    expect(watch.says()).toBe('starting: Kafka does not answer');
    storeProves = false;
    now += 1001;
    await views([]);
    expect(watch.notReady()).toEqual(['Kafka does not answer', 'Redis proves nothing either']);
  });

  test('no more when neither its views nor the store prove anything, and says both', async () => {
    watch.start();
    await views(YOUNG);
    await views(ALL_OLD);
    expect(watch.notReady()).toEqual([
      'the view of partition 0, 1 is up to 2002 ms old, and the bound is 2000 ms',
      'Redis proves nothing either',
    ]);
  });

  test('no more either where the store refuses, and says why', async () => {
    storeTrouble = 'credentials_refused';
    watch.start();
    await views([]);
    expect(watch.notReady()).toContain('Redis proves nothing either (credentials_refused)');
  });

  test('without a store by its views alone, and says so', async () => {
    watch = watchWith(undefined);
    watch.start();
    await views([Number.POSITIVE_INFINITY]);
    expect(watch.notReady()).toEqual([
      'the view of partition 0 has no tick yet',
      'there is no Redis to read through to',
    ]);
  });

  test('without asking the store while its views are young', async () => {
    watch.start();
    await views(YOUNG);
    await views(ONE_OLD);
    expect(asked).toBe(0);
  });
});
