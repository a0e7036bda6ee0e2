-- Exchanges a session's refresh token for its successor, with the versions and roles read for it.
-- KEYS[1]  the session record
-- ARGV[1]  hash of the token shown;  ARGV[2]  hash of its successor;  ARGV[3…]  fields and values to set
-- Returns 1, or 0 where the token is not the session's newest.
if redis.call('HGET', KEYS[1], 'refresh') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'refresh', ARGV[2], unpack(ARGV, 3))
return 1
