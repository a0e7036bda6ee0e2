-- Adds a session to the index of its subject, unless that has as many as it may.
-- KEYS[1]  the index: handles by the time of their end
-- ARGV[1]  the session's handle;  ARGV[2]  when it ends, ms since the epoch;  ARGV[3]  most sessions, or 0;  ARGV[4]  now
-- Returns how many there are, and 1 where this one is among them.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[4])
local count, most = redis.call('ZCARD', KEYS[1]), tonumber(ARGV[3])
-- A cluster's command may come twice.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return { count, 1 }
end
if most > 0 and count >= most then
  return { count, 0 }
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('PEXPIREAT', KEYS[1], ARGV[2], 'GT')
redis.call('PEXPIREAT', KEYS[1], ARGV[2], 'NX')
return { count + 1, 1 }
