-- A session goes on under another handle: the record says so from now on, to the session's end, so that whoever ends the
-- session by an older name finds it. One decision: of all who renew it at once, and whoever ends it, one is first.
-- KEYS[1]  the session record
-- ARGV[1]  the handle that is to take its place;  ARGV[2]  for how long whoever shows the old id gets the new one, ms
-- Returns the handle that has its place, this one or one that came before; or nothing, where the record is gone.
local held = redis.pcall('HMGET', KEYS[1], 'x', 'e', 'f')
local ends = not held.err and tonumber(held[1])
if not ends then
  return ''
elseif held[2] then
  return held[3] or ''
end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
redis.call('HSET', KEYS[1], 'e', 'replaced', 'f', ARGV[1], 'p', now + tonumber(ARGV[2]))
redis.call('PEXPIREAT', KEYS[1], ends * 1000)
return ARGV[1]
