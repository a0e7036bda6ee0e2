-- Restores versions that Redis has lost from what was announced of them. Merges by max: nothing falls.
-- KEYS[i]  the version hash of version i, all in one slot
-- ARGV[1]  TTL of a version, ms
-- ARGV[2]  JSON list of versions {current, floor, blocked?}
for i, version in ipairs(cjson.decode(ARGV[2])) do
  local held = redis.call('HGET', KEYS[i], 'current')
  local current = math.max(held and tonumber(held) or 0, version.current)
  -- The floor is raised to it: the claims that a session below it had yet to take on are lost.
  redis.call('HSET', KEYS[i], 'current', current, 'floor', current)
  if version.blocked then
    redis.call('HSET', KEYS[i], 'blocked', '1')
  end
  redis.call('PEXPIRE', KEYS[i], ARGV[1])
end
return #KEYS
