-- Writes down when a render was first asked for by an attempt: one whose worker dies before its start is answered may
-- have begun all the same, and who takes it over pays for it from then on.   ARGV id, attempt   Returns when
local job, now = KEY.JOB_PREFIX .. ARGV[1], exact(clock())
local was = redis.call('HMGET', job, 'asked_for', 'asked_at')
if was[1] == ARGV[2] then return was[2] end
if redis.call('EXISTS', job) == 1 then redis.call('HSET', job, 'asked_for', ARGV[2], 'asked_at', now) end
return now
