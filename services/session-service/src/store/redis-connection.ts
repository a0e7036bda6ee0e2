import { readFileSync } from 'node:fs';
import { createRedis, type RedisConnection } from '@curfew/store';
import type { Result } from 'ioredis';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    curfewApply(...keysAndArguments: (string | number)[]): Result<number[], Context>;
    curfewRestore(...keysAndArguments: (string | number)[]): Result<0 | 1, Context>;
    curfewRefresh(
      key: string,
      shown: string,
      successor: string,
      ...fields: (string | number)[]
    ): Result<0 | 1, Context>;
    curfewKeep(key: string, subject: string, version: number, floorBefore: number): Result<0 | 1, Context>;
  }
}

const lua = (name: string): string => readFileSync(new URL(`../lua/${name}.lua`, import.meta.url), 'utf8');

/** The connection with the session service's own scripts. */
export const connectStore = (url: string): RedisConnection =>
  createRedis(url, {
    curfewApply: { lua: lua('apply') },
    curfewRestore: { lua: lua('restore') },
    curfewRefresh: { lua: lua('refresh'), numberOfKeys: 1 },
    curfewKeep: { lua: lua('keep'), numberOfKeys: 1 },
  });
