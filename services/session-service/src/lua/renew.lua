-- Brings a session what its renewal takes on; to one that a cookie carries, a new id with it. One decision: of all who show
-- the same id at once, each gets the same new one. Versions merge by max: an event may have lifted the session since they
-- were read. A record that is gone, or has ended, stays so.
-- KEYS[1]  the session record
-- ARGV[1]  largest record, bytes
-- ARGV[2…5]  versions of subject, tenant and realm, and their tick
-- ARGV[6]  JSON of the roles;  ARGV[7]  the subject's version that they are of
-- ARGV[8]  hash of the id shown;  ARGV[9]  hash of the next;  ARGV[10]  for how long the one shown brings it again, ms: or none
-- Returns the record's fields and values after it; none where there is no such session; 0 where it would be too large.
local held = redis.pcall('HGETALL', KEYS[1])
if held.err then
  return {}
end
local record = {}
for i = 1, #held, 2 do
  record[held[i]] = held[i + 1]
end
local function number(field)
  return tonumber(record[field] or '0') or 0
end
if not record.u or record.e then
  return {}
end

local change = {}
local function set(field, value)
  change[#change + 1], change[#change + 2] = field, value
  record[field] = value
end
if ARGV[8] then
  local clock = redis.call('TIME')
  local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
  if record.f == ARGV[8] and now < number('p') then
    return held
  elseif record.j ~= ARGV[8] then
    return {}
  end
  set('j', ARGV[9])
  set('f', ARGV[8])
  set('p', string.format('%.0f', now + tonumber(ARGV[10])))
end
for i, field in ipairs({ 's', 't', 'r', 'v' }) do
  if tonumber(ARGV[i + 1]) > number(field) then
    set(field, ARGV[i + 1])
  end
end
if tonumber(ARGV[7]) > number('q') then
  set('o', ARGV[6])
  set('q', ARGV[7])
end
if #change == 0 then
  return held
end
local bytes = 0
for field, value in pairs(record) do
  bytes = bytes + #field + #value
end
if bytes > tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], unpack(change))
for _, one in ipairs(change) do
  held[#held + 1] = one
end
return held
