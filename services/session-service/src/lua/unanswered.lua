-- Nobody knows whether an exchange was made. If it was, it is the one that the record was left by, and not a moment longer
-- ago than it was begun: then its predecessor is exchanged for longer.
-- KEYS[1]  the session record;  ARGV[1]  the successor's generation
-- ARGV[2]  how long ago it was begun;  ARGV[3]  for how long an exchange has the predecessor exchanged too
-- ARGV[4]  for how long from now it is to be; ms
local held = redis.pcall('HMGET', KEYS[1], 'g', 'p', 'e')
local untilMs = not held.err and tonumber(held[2])
if not untilMs or held[1] ~= ARGV[1] or held[3] then
  return 1
end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local longer = now + tonumber(ARGV[4])
if untilMs - tonumber(ARGV[3]) >= now - tonumber(ARGV[2]) and untilMs < longer then
  redis.call('HSET', KEYS[1], 'p', string.format('%.0f', longer))
end
return 1
