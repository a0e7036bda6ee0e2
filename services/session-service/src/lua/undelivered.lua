-- The successor of a refresh token was not handed over: its predecessor is exchanged for longer, unless somebody has shown
-- it since, who may have got the successor. A session that has ended stays as it is.
-- KEYS[1]  the session record;  ARGV[1]  the successor's generation
-- ARGV[2]  until when the predecessor is exchanged, as the exchange left it;  ARGV[3]  until when it is to be; ms
local held = redis.pcall('HMGET', KEYS[1], 'g', 'p', 'e')
if not held.err and held[1] == ARGV[1] and held[2] == ARGV[2] and not held[3] then
  redis.call('HSET', KEYS[1], 'p', ARGV[3])
end
return 1
