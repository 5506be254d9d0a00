-- The queue as it is now: figures, running jobs and the first of those that wait.
-- KEYS waiting, running, studio, history   ARGV job_prefix, limit
local running, waiting = {}, {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do running[#running + 1] = redis.call('HGETALL', ARGV[1] .. id) end
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1)) do
  waiting[#waiting + 1] = redis.call('HGETALL', ARGV[1] .. id)
end
local studio = redis.call('HMGET', KEYS[3], 'slots', 'paused')
return {studio[1] or '1', studio[2] or '0', redis.call('ZCARD', KEYS[1]), exact(clock()),
  redis.call('HGETALL', KEYS[4]), running, waiting}
