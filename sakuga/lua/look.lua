-- A job and its place, in one trip.   KEYS job, waiting   ARGV id
local job = redis.call('HGETALL', KEYS[1])
if #job == 0 then return false end
return {job, redis.call('ZRANK', KEYS[2], ARGV[1])}
