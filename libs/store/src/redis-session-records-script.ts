import type { Result } from 'ioredis';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    curfewReadRecord(
      key: string,
      idHash: string,
      touchAfterS: number,
    ): Result<[now: number, fields: string[]], Context>;
  }
}

/**
 * Reads a session's record, and notes in it that the session is used, by who holds the id with the hash ARGV[1]: at most
 * once in ARGV[2] seconds, and never of one that is over. Anybody may have edited it: what cannot be understood is left as
 * it is, and a key of another type has the one field that no record has. A full Redis takes no note and answers still.
 * Returns Redis' time, ms, and the fields.
 */
const LUA = `
local clock = redis.call('TIME')
local now = tonumber(clock[1])
local now_ms = now * 1000 + math.floor(tonumber(clock[2]) / 1000)
local held = redis.pcall('HMGET', KEYS[1], 'l', 'y', 'x', 'e', 'j')
if held.err then
  return { now_ms, { '', '' } }
end
local seen, idle, ends = tonumber(held[1]), tonumber(held[2]), tonumber(held[3])
if seen and idle and ends and not held[4] and held[5] == ARGV[1] then
  if now - seen >= tonumber(ARGV[2]) and now < seen + idle and now < ends then
    local expiry = string.format('%.0f', math.min(now + idle, ends) * 1000)
    redis.pcall('PEXPIREAT', KEYS[1], expiry, 'GT')
    redis.pcall('HSET', KEYS[1], 'l', now)
  end
end
return { now_ms, redis.call('HGETALL', KEYS[1]) }
`;

export const READ_RECORD = { curfewReadRecord: { lua: LUA, numberOfKeys: 1 } };
