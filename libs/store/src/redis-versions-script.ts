import type { Result } from 'ioredis';

type Text = string | null;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    curfewReadVersions(
      keyCount: number,
      ...keys: string[]
    ): Result<[tick: Text, ended: number, ...version: [Text, Text, Text, Text, Text]], Context>;
  }
}

/**
 * A partition's tick and a version in it as of one moment: no bump, loss or failover comes between a tick and what it
 * vouches for.
 * KEYS: the position, the version, and a session's tombstone where one is asked for.
 * Returns the tick, 1 where the tombstone is there, then what the version holds.
 */
const LUA = `
return {
  redis.call('HGET', KEYS[1], 'tick'),
  KEYS[3] and redis.call('EXISTS', KEYS[3]) or 0,
  unpack(redis.call('HMGET', KEYS[2], 'current', 'floor', 'blocked', 'claims', 'claimsAt'))
}
`;

export const READ_VERSIONS = { curfewReadVersions: { lua: LUA } };
