-- Ends a job wherever it is. A running one is only marked: the worker that holds it stops the render and ends it.
-- KEYS job, waiting, slots, arq in-progress, arq job, arq abort, events, running   ARGV id, expire_s, wake
local was = redis.call('HMGET', KEYS[1], 'status', 'number', 'handle')
if not was[1] then return {'unknown'} end
local function ended()
  redis.call('HSET', KEYS[1], 'status', 'cancelled', 'stage', 'done', 'finished_at', exact(clock()))
  redis.call('HINCRBY', KEYS[1], 'revision', 1)
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  redis.call('ZREM', KEYS[8], ARGV[1])
  emit(KEYS[7], 'job.cancelled', ARGV[1], was[2], '')
  redis.call('PUBLISH', ARGV[3], '')
  return {'cancelled'}
end
if redis.call('ZREM', KEYS[2], ARGV[1]) == 1 then return ended() end
if not redis.call('ZSCORE', KEYS[8], ARGV[1]) then return {'ended', was[1]} end
redis.call('HSET', KEYS[1], 'cancel', '1')
if not redis.call('ZSCORE', KEYS[3], ARGV[1]) then return {'cancelling', was[1]} end  -- arq lost it: upkeep ends it
if redis.call('EXISTS', KEYS[4]) == 1 or (was[3] and was[3] ~= '') then  -- held, or its render may still go on
  redis.call('ZADD', KEYS[6], math.floor(clock() * 1000), ARGV[1])
  redis.call('PUBLISH', ARGV[3], '')
  return {'cancelling', was[1]}
end
-- Not picked up yet. Touching the lease makes a worker's WATCH fail if it is between its check and its EXEC.
redis.call('SET', KEYS[4], '', 'PX', 1)
redis.call('DEL', KEYS[4])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('DEL', KEYS[5])
return ended()
