import type { Redis } from 'ioredis';

/** What so many operations took, with as many under way at a time as saturate this process or Redis. */
export interface Saturation {
  readonly perSecond: number;
  /** Cores busy meanwhile. */
  readonly redisCores: number;
  readonly nodeCores: number;
  /** Of Redis, for each operation: microseconds of CPU, and bytes that came in and went out. */
  readonly redisMicroseconds: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

const AT_ONCE = 256;
const SAMPLES = 1000;

/** Runs an operation so many times. */
export function saturate(redis: Redis, count: number, operation: (i: number) => Promise<unknown>): Promise<Saturation> {
  let next = 0;
  const one = async () => {
    for (let i = next++; i < count; i = next++) await operation(i);
  };
  return figuresOf(redis, count, () => Promise.all(Array.from({ length: AT_ONCE }, one)));
}

/** Runs work that is so many operations. */
export async function figuresOf(redis: Redis, count: number, work: () => Promise<unknown>): Promise<Saturation> {
  const [before, cpuBefore, from] = [await usage(redis), process.cpuUsage(), performance.now()];
  await work();
  const seconds = (performance.now() - from) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const after = await usage(redis);
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
  return {
    perSecond: count / seconds,
    redisCores: cpuSeconds / seconds,
    nodeCores: (user + system) / 1e6 / seconds,
    redisMicroseconds: (cpuSeconds * 1e6) / count,
    bytesIn: (after.bytesIn - before.bytesIn) / count,
    bytesOut: (after.bytesOut - before.bytesOut) / count,
  };
}

async function usage(redis: Redis) {
  const figure = await info(redis);
  return {
    cpuSeconds: figure('used_cpu_user') + figure('used_cpu_sys'),
    bytesIn: figure('total_net_input_bytes'),
    bytesOut: figure('total_net_output_bytes'),
  };
}

/** Bytes that Redis has in use. */
export const usedMemory = async (redis: Redis): Promise<number> => (await info(redis))('used_memory');

async function info(redis: Redis): Promise<(name: string) => number> {
  const figures = new Map((await redis.info()).split('\r\n').map((line) => line.split(':') as [string, string]));
  return (name) => Number(figures.get(name));
}

/** Bytes of a thousand keys with their values, as `MEMORY USAGE` counts them. */
export async function memoryOf(redis: Redis, keys: number, key: (i: number) => string) {
  const sizes: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    const size = await redis.memory('USAGE', key(Math.floor(Math.random() * keys)), 'SAMPLES', 0);
    sizes.push(size ?? Number.NaN);
  }
  sizes.sort((a, b) => a - b);
  return { median: sizes[SAMPLES / 2] ?? Number.NaN, most: sizes.at(-1) ?? Number.NaN };
}

/** Removes all that a Redis holds. */
export const empty = (redis: Redis): Promise<'OK'> => redis.flushall('SYNC');
