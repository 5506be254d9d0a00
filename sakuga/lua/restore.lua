-- Gives a running job that arq lost its slot again, as it is: its render may go on, and so does its meter.
-- ARGV id, arq in-progress key, arq job key, arq payload, expires_ms   Returns whether that was needed
local id = ARGV[1]
if not redis.call('ZSCORE', KEY.RUNNING, id) or redis.call('ZSCORE', KEY.SLOTS, id) then return 0 end
if redis.call('EXISTS', ARGV[2]) == 1 then return 0 end
redis.call('PSETEX', ARGV[3], ARGV[5], (string.gsub(ARGV[4], 'JOB_ID', id)))
redis.call('ZADD', KEY.SLOTS, math.floor(clock() * 1000) - 60000, id)
redis.call('PUBLISH', KEY.WAKE, '')
return 1
