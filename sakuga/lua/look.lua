-- A job and its place, in one trip.   ARGV id
local job = redis.call('HGETALL', KEY.JOB_PREFIX .. ARGV[1])
if #job == 0 then return false end
return {job, redis.call('ZRANK', KEY.WAITING, ARGV[1])}
