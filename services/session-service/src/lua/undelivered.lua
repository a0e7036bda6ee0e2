-- The successor of a refresh token could not be handed over: its predecessor is exchanged until it was.
-- KEYS[1]  the session record;  ARGV[1]  the successor's generation;  ARGV[2]  until when at the most, ms since the epoch
local generation = redis.pcall('HGET', KEYS[1], 'g')
if generation == ARGV[1] then
  redis.call('HSET', KEYS[1], 'p', ARGV[2])
end
return 1
