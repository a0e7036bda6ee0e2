-- Lifts a session over a bump that spares it: its next refresh succeeds. The roles of a claims change that it has yet to take
-- on come with it, as nothing calls it stale any more. A record that is gone stays gone, and so does a session that an
-- earlier bump has ended.
-- KEYS[1]  the session record
-- ARGV[1]  the subject that the bump is about;  ARGV[2]  the subject's version after it;  ARGV[3]  its floor before
-- ARGV[4]  largest record, bytes: one that would be larger is not lifted
-- ARGV[5]  JSON of the roles that the newest claims change brought, or empty;  ARGV[6]  the subject's version after that
local held = redis.pcall('HGETALL', KEYS[1])
if held.err then
  return 0
end
local fields = {}
for i = 1, #held, 2 do
  fields[held[i]] = held[i + 1]
end
local version, roles_at = tonumber(fields.s or '0'), tonumber(fields.q or '0')
if fields.u ~= ARGV[1] or not (version and roles_at) then
  return 0
elseif version >= tonumber(ARGV[2]) or version < tonumber(ARGV[3]) then
  return 0
end

local change = { 's', ARGV[2] }
if ARGV[5] ~= '' and tonumber(ARGV[6]) > roles_at then
  change = { 's', ARGV[2], 'o', ARGV[5], 'q', ARGV[6] }
end
for i = 1, #change, 2 do
  fields[change[i]] = change[i + 1]
end
local bytes = 0
for field, value in pairs(fields) do
  bytes = bytes + #field + #value
end
if bytes > tonumber(ARGV[4]) then
  return 0
end
redis.call('HSET', KEYS[1], unpack(change))
return 1
