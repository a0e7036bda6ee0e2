-- Changes fields of a session record that is there: one that is gone must not come back, without an end.
-- KEYS[1]  the session record
-- ARGV[1]  largest record, bytes;  ARGV[2…]  fields and values
-- Returns 1, 0 where there is none, or -1 where it would be too large: nothing was changed.
local held = redis.pcall('HGETALL', KEYS[1])
if held.err or #held == 0 then
  return 0
end
local fields = {}
for i = 1, #held, 2 do
  fields[held[i]] = held[i + 1]
end
for i = 2, #ARGV, 2 do
  fields[ARGV[i]] = ARGV[i + 1]
end
local bytes = 0
for field, value in pairs(fields) do
  bytes = bytes + #field + #value
end
if bytes > tonumber(ARGV[1]) then
  return -1
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
