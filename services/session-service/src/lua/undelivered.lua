-- The successor of a refresh token could not be handed over: its predecessor is exchanged for longer. A session that has
-- ended stays as it is.
-- KEYS[1]  the session record;  ARGV[1]  the successor's generation;  ARGV[2]  until when, ms since the epoch
local held = redis.pcall('HMGET', KEYS[1], 'g', 'e', 'p')
if held.err or held[1] ~= ARGV[1] or held[2] then
  return 0
end
if tonumber(held[3] or '0') < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], 'p', ARGV[2])
end
return 1
