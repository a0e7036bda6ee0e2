import { readFileSync } from 'node:fs';
import { createRedis, type RedisConnection, type StoreOptions } from '@curfew/store';
import type { Result } from 'ioredis';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    curfewApply(...keysAndArguments: (string | number)[]): Result<number[], Context>;
    curfewRestore(...keysAndArguments: (string | number)[]): Result<0 | 1, Context>;
    curfewExchange(key: string, generation: number, graceMs: number, attempt: string): Result<string[], Context>;
    curfewUndelivered(key: string, generation: number, attempt: string): Result<1, Context>;
    curfewRenew(key: string, maxBytes: number, ...change: (string | number)[]): Result<string[] | 0, Context>;
    curfewSetUx(key: string, maxBytes: number, json: string): Result<-1 | 0 | 1, Context>;
    curfewKeep(
      key: string,
      subject: string,
      version: number,
      floorBefore: number,
      maxBytes: number,
      roles: string,
      rolesAt: number,
    ): Result<0 | 1, Context>;
    curfewEnlist(
      key: string,
      sid: string,
      expiresAt: number,
      most: number,
      now: number,
    ): Result<[count: number, stored: 0 | 1], Context>;
  }
}

const lua = (name: string): string => readFileSync(new URL(`../lua/${name}.lua`, import.meta.url), 'utf8');

/** The connection with the session service's own scripts. */
export const connectStore = (url: string, security: StoreOptions = {}): RedisConnection =>
  createRedis(url, { ...security, scripts: SCRIPTS });

const SCRIPTS = {
  curfewApply: { lua: lua('apply') },
  curfewRestore: { lua: lua('restore') },
  curfewExchange: { lua: lua('exchange'), numberOfKeys: 1 },
  curfewUndelivered: { lua: lua('undelivered'), numberOfKeys: 1 },
  curfewSetUx: { lua: lua('set-ux'), numberOfKeys: 1 },
  curfewRenew: { lua: lua('renew'), numberOfKeys: 1 },
  curfewEnlist: { lua: lua('enlist'), numberOfKeys: 1 },
  curfewKeep: { lua: lua('keep'), numberOfKeys: 1 },
};
