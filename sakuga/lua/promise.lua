-- Writes down what a job was promised, once, and only while the job is there; as seconds from its request, which is
-- earlier than now for one that is tried again.   ARGV id, p50_s, p90_s
local job = KEY.JOB_PREFIX .. ARGV[1]
local asked = tonumber(redis.call('HGET', job, 'requested_at') or '')
if not asked or redis.call('HEXISTS', job, 'promised_p50_s') == 1 then return 0 end
local since = clock() - asked
redis.call('HSET', job, 'promised_p50_s', exact(since + ARGV[2]), 'promised_p90_s', exact(since + ARGV[3]))
return 1
