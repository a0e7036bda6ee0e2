-- Lifts a session over a bump that spares it: its next refresh succeeds. A record that is gone stays gone.
-- KEYS[1]  the session record
-- ARGV[1]  the subject that the bump is about;  ARGV[2]  the subject's version after it
local held = redis.call('HMGET', KEYS[1], 'subject', 's')
if held[1] ~= ARGV[1] or tonumber(held[2]) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], 's', ARGV[2])
return 1
