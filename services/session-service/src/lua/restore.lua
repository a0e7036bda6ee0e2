-- Restores versions that Redis has lost from what was announced of them, in chunks; the last one brings the position.
-- Merges by max: nothing falls.
-- KEYS[1]  the partition's position;  KEYS[i + 1]  the version hash of version i; all in one slot
-- ARGV[1]  TTL of a version, ms
-- ARGV[2]  JSON list of versions {current, floor, blocked?}
-- ARGV[3]  the mark that the chunk before left with the position; empty for the first
-- ARGV[4]  the mark to leave; ARGV[5]  with the last chunk the position to store instead, empty before
-- Returns 1, or 0 with nothing changed: the partition has a position, the chunks before are lost again, or another restores.
if redis.call('HEXISTS', KEYS[1], 'offset') == 1 then
  return 0
end
if ARGV[3] ~= '' and redis.call('HGET', KEYS[1], 'restored') ~= ARGV[3] then
  return 0
end

for i, version in ipairs(cjson.decode(ARGV[2])) do
  local key = KEYS[i + 1]
  local held = redis.call('HGET', key, 'current')
  local current = math.max(held and tonumber(held) or 0, version.current)
  -- The floor is raised to it: the claims that a session below it had yet to take on are lost.
  redis.call('HSET', key, 'current', current, 'floor', current, 'before', current)
  if version.blocked then
    redis.call('HSET', key, 'blocked', '1')
  end
  if redis.call('HEXISTS', key, 'blocked') == 1 then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, ARGV[1])
  end
end

if ARGV[5] == '' then
  redis.call('HSET', KEYS[1], 'restored', ARGV[4])
else
  redis.call('HDEL', KEYS[1], 'restored')
  redis.call('HSET', KEYS[1], 'offset', ARGV[5])
end
return 1
