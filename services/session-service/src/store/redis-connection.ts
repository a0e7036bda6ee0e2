import { readFileSync } from 'node:fs';
import { CurfewError } from '@curfew/contracts';
import { Redis, type Result } from 'ioredis';

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

/** Prefix of every key (DESIGN section 8). */
export const PREFIX = 'curfew:';

/** Longest wait for one command, and for the connection, ms. */
const COMMAND_TIMEOUT_MS = 1000;
/** A socket that answers nothing for this long is replaced, ms. */
const SOCKET_TIMEOUT_MS = 2000;
const MAX_RECONNECT_DELAY_MS = 2000;

/** The connection to Redis, and whether it can be used. */
export interface RedisConnection {
  readonly client: Redis;
  /** Begins, and goes on trying for as long as Redis is away; `onError` hears why. */
  start(onError: (error: Error) => void): void;
  /** What keeps Redis from answering, in words. */
  notReady(): string[];
  close(): void;
}

/**
 * A connection that never waits in silence: while Redis is away a command fails at once, and none is sent again on its
 * own (a command that timed out may still run). It reconnects for ever, with full jitter.
 */
export function createRedis(url: string): RedisConnection {
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    connectTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: (attempt) => Math.random() * Math.min(MAX_RECONNECT_DELAY_MS, 50 * 2 ** attempt) + 10,
    scripts: {
      curfewApply: { lua: lua('apply') },
      curfewRestore: { lua: lua('restore') },
      curfewRefresh: { lua: lua('refresh'), numberOfKeys: 1 },
      curfewKeep: { lua: lua('keep'), numberOfKeys: 1 },
    },
  });
  return {
    client,
    start: (onError) => {
      client.on('error', onError);
      client.connect().catch(() => {}); // Told to onError as well, and tried again.
    },
    notReady: () => (client.status === 'ready' ? [] : [`Redis is ${client.status}`]),
    close: () => client.disconnect(),
  };
}

/** Runs commands; a failure becomes `store_unavailable`. ioredis' own error is dropped: it quotes keys and values. */
export async function answered<T>(commands: Promise<T>): Promise<T> {
  try {
    return await commands;
  } catch (error) {
    throw new CurfewError('store_unavailable', `Redis: ${error instanceof Error ? error.name : 'no answer'}`);
  }
}
