-- Adds to the limits of this session and this day, once for each key.
-- ARGV millionths of a dollar, who by, reason, act, key or '', key_s   Returns 1, or 0 if that key was used before
if ARGV[5] ~= '' then
  local request = KEY.REQUEST_PREFIX .. ARGV[5]
  if redis.call('EXISTS', request) == 1 then return 0 end
  redis.call('HSET', request, 'fingerprint', ARGV[1])
  redis.call('EXPIRE', request, ARGV[6])
end
local session = redis.call('HGET', KEY.STUDIO, 'session') or ''
refilled(tonumber(ARGV[1]), '', session, '', ARGV[2], ARGV[3], clock())
note(ARGV[4])
return 1
