-- The queue as it is now: figures, running jobs and the first of those that wait.   ARGV limit
local running, waiting = {}, {}
for _, id in ipairs(redis.call('ZRANGE', KEY.RUNNING, 0, -1)) do
  running[#running + 1] = redis.call('HGETALL', KEY.JOB_PREFIX .. id)
end
for _, id in ipairs(redis.call('ZRANGE', KEY.WAITING, 0, tonumber(ARGV[1]) - 1)) do
  waiting[#waiting + 1] = redis.call('HGETALL', KEY.JOB_PREFIX .. id)
end
return {redis.call('HGETALL', KEY.STUDIO), redis.call('ZCARD', KEY.WAITING), redis.call('ZCARD', KEY.HELD),
  exact(clock()), running, waiting}
