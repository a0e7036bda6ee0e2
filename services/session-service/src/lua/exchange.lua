-- Exchanges a session's refresh token for its successor, and notes that the session was used. One slot, one decision:
-- of all who show a token at once, each gets the same successor, or none.
-- KEYS[1]  the session record
-- ARGV[1]  generation of the token shown;  ARGV[2]  for how long its predecessor is exchanged too, ms
-- ARGV[3]  a name of this attempt, 8 characters: whoever got nothing takes it back (undelivered.lua)
-- Returns an outcome, then the record's fields and values before it:
--   exchanged  the successor is generation shown + 1
--   again      the token shown is the immediate predecessor: its successor is the newest
--   reused     it is older: the record is marked, and exchanges none any more
--   ended      so it was a moment ago, and whoever was told sees to it
--   absent, invalid (no record that a session service writes)
local TAKEOVER_MS, MAX_ATTEMPTS = 5000, 6

local held = redis.pcall('HGETALL', KEYS[1])
if held.err then
  return { 'invalid' }
elseif #held == 0 then
  return { 'absent' }
end
local record = {}
for i = 1, #held, 2 do
  record[held[i]] = held[i + 1]
end
local function answer(outcome)
  table.insert(held, 1, outcome)
  return held
end

-- Beyond these a time is none that Redis could expire a key at, and a number none that counts on.
local MAX_SECONDS, MAX_COUNT = 1e11, 2 ^ 53
local function whole(text, most)
  local value = text and text:find('^%d+$') and tonumber(text)
  return value and value <= most and value
end
local newest, untilMs = whole(record.g or '0', MAX_COUNT), whole(record.p or '0', MAX_COUNT)
local idle, ends, seen = whole(record.y, MAX_SECONDS), whole(record.x, MAX_SECONDS), whole(record.l, MAX_SECONDS)
if not (newest and idle and ends and seen and untilMs) then
  return answer('invalid')
end

local shown, grace, attempt = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local clock = redis.call('TIME')
local seconds = tonumber(clock[1])
local now = seconds * 1000 + math.floor(tonumber(clock[2]) / 1000)
local function reused()
  redis.call('HSET', KEYS[1], 'e', 'refresh-reuse', 'p', now)
  return answer('reused')
end
if record.e then
  -- Whoever was told first may have died before it could end the session everywhere.
  return now - untilMs > TAKEOVER_MS and reused() or answer('ended')
end
local outcome
-- A newer one than is known: Redis has lost writes, and the token itself proves that it was given out.
if shown >= newest then
  outcome = 'exchanged'
  redis.call('HSET', KEYS[1], 'g', shown + 1, 'p', now + grace, 'l', seconds, 'A', attempt)
elseif shown == newest - 1 and now < untilMs then
  outcome = 'again'
  local attempts = record.A or ''
  -- Nobody had the successor: the grace begins now.
  local till = attempts == '' and math.min(untilMs, now + grace) or untilMs
  -- A command may come twice. Beyond a few at once, one is taken to have got it.
  if not attempts:find(attempt, 1, true) then
    attempts = #attempts < MAX_ATTEMPTS * #attempt and attempts .. attempt or '*'
  end
  redis.call('HSET', KEYS[1], 'p', till, 'l', seconds, 'A', attempts)
else
  return reused()
end
redis.call('PEXPIREAT', KEYS[1], math.min(now + idle * 1000, ends * 1000))
return answer(outcome)
