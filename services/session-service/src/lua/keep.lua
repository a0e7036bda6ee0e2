-- Lifts a session over a bump that spares it: its next refresh succeeds. A record that is gone stays gone, and so does a
-- session that an earlier bump has ended.
-- KEYS[1]  the session record
-- ARGV[1]  the subject that the bump is about;  ARGV[2]  the subject's version after it;  ARGV[3]  its floor before
local held = redis.pcall('HMGET', KEYS[1], 'u', 's')
if held.err or held[1] ~= ARGV[1] then
  return 0
end
local version = tonumber(held[2] or '0')
if not version or version >= tonumber(ARGV[2]) or version < tonumber(ARGV[3]) then
  return 0
end
redis.call('HSET', KEYS[1], 's', ARGV[2])
return 1
