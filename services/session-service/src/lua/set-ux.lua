-- Sets what a user interface keeps with a session that is there: one that is gone must not come back, without an end.
-- KEYS[1]  the session record;  ARGV[1]  largest record, bytes;  ARGV[2]  JSON
-- Returns 1, 0 where there is none, or -1 where it would be too large, and larger than it is: nothing was changed.
local held = redis.pcall('HGETALL', KEYS[1])
if held.err or #held == 0 then
  return 0
end
local before, rest = 0, 0
for i = 1, #held, 2 do
  local bytes = #held[i] + #held[i + 1]
  before = before + bytes
  rest = rest + (held[i] == 'z' and 0 or bytes)
end
local after = rest + 1 + #ARGV[2]
if after > tonumber(ARGV[1]) and after > before then
  return -1
end
redis.call('HSET', KEYS[1], 'z', ARGV[2])
return 1
