import type { Result } from 'ioredis';

type Text = string | null;
/** What there is of one scope: its partition's tick, whether the tombstone is there, and the fields of its version. */
export type ScopeAnswer = [
  tick: Text,
  ended: number,
  current: Text,
  floor: Text,
  blocked: Text,
  claims: Text,
  claimsAt: Text,
];

declare module 'ioredis' {
  interface RedisCommander<Context> {
    curfewReadVersions(keyCount: number, ...keys: string[]): Result<ScopeAnswer[], Context>;
  }
}

/**
 * Ticks and versions as of one moment: no bump, loss or failover comes between a tick and what it vouches for.
 * KEYS: by scope the position of its partition, its version, and a session's tombstone in that partition.
 */
const LUA = `
local reply = {}
for i = 1, #KEYS, 3 do
  reply[#reply + 1] = {
    redis.call('HGET', KEYS[i], 'tick'),
    redis.call('EXISTS', KEYS[i + 2]),
    unpack(redis.call('HMGET', KEYS[i + 1], 'current', 'floor', 'blocked', 'claims', 'claimsAt'))
  }
end
return reply
`;

export const READ_VERSIONS = { curfewReadVersions: { lua: LUA } };
