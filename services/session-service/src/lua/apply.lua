-- Applies the changes of one batch of a partition's account events, and stores the position with them (DESIGN section 4).
-- KEYS[1]  the partition's position;  KEYS[i + 1]  the version hash of change i; all in one slot, {p<partition>}
-- ARGV[1]  the position that the caller knows of; a stored one behind it means that Redis lost writes
-- ARGV[2]  offset of the batch's last record
-- ARGV[3]  TTL of a version, ms; one that blocks has none
-- ARGV[4]  JSON list of changes {offset, time, ends, blocked?, claims?}, in the log's order
-- ARGV[5]  newest tick among the batch's records, ms since the epoch; 0 for none
-- Returns the position found, then per change: current, floor, 1 where this call applied it, 1 where the subject is blocked,
-- and the floor before the newest bump that raised it.
-- A position behind ARGV[1] is returned alone, and nothing is changed.
local raw = redis.call('HGET', KEYS[1], 'offset')
local found = raw and tonumber(raw) or -1
if found < tonumber(ARGV[1]) then
  return { found }
end

local reply = { found }
for i, change in ipairs(cjson.decode(ARGV[4])) do
  local key = KEYS[i + 1]
  local held = redis.call('HMGET', key, 'current', 'floor', 'before')
  local current = held[1] and tonumber(held[1]) or 0
  local floor = held[2] and tonumber(held[2]) or 0
  local before = held[3] and tonumber(held[3]) or floor
  local fresh = change.offset > found
  if fresh then
    current = math.max(current + 1, change.time)
    if change.ends then
      before = floor
      floor = current
    end
    redis.call('HSET', key, 'current', current, 'floor', floor, 'before', before)
    if change.blocked == true then
      redis.call('HSET', key, 'blocked', '1')
    elseif change.blocked == false then
      redis.call('HDEL', key, 'blocked')
    end
    if change.claims then
      redis.call('HSET', key, 'claims', change.claims, 'claimsAt', current)
    end
    -- A block must not be forgotten: it holds until the event that lifts it.
    if redis.call('HEXISTS', key, 'blocked') == 1 then
      redis.call('PERSIST', key)
    else
      redis.call('PEXPIRE', key, ARGV[3])
    end
  end
  reply[#reply + 1] = current
  reply[#reply + 1] = floor
  reply[#reply + 1] = fresh and 1 or 0
  reply[#reply + 1] = redis.call('HEXISTS', key, 'blocked')
  reply[#reply + 1] = before
end

if tonumber(ARGV[2]) > found then
  redis.call('HSET', KEYS[1], 'offset', ARGV[2])
end
local tick = redis.call('HGET', KEYS[1], 'tick')
if tonumber(ARGV[5]) > (tick and tonumber(tick) or 0) then
  redis.call('HSET', KEYS[1], 'tick', ARGV[5])
end
return reply
