-- An attempt to exchange a refresh token gave nobody the successor, whether it was made or not. Where none of those gave it
-- that were made, the token is good to the end of its session, or until one does. A session that has ended stays as it is.
-- KEYS[1]  the session record;  ARGV[1]  the successor's generation;  ARGV[2]  the attempt
local held = redis.pcall('HMGET', KEYS[1], 'g', 'A', 'e', 'x')
local ends = not held.err and tonumber(held[4])
if not ends or held[1] ~= ARGV[1] or not held[2] or held[3] then
  return 1
end
local from, to = held[2]:find(ARGV[2], 1, true)
if not from then
  return 1
end
local left = held[2]:sub(1, from - 1) .. held[2]:sub(to + 1)
redis.call('HSET', KEYS[1], 'A', left)
if left == '' then
  redis.call('HSET', KEYS[1], 'p', string.format('%.0f', ends * 1000))
end
return 1
