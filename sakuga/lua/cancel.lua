-- Ends a job wherever it is. A running one is only marked: the worker that holds it stops the render and ends it.
-- ARGV id, arq in-progress key, arq job key, arq abort key, act, 'waiting' to leave one that does not wait as it is
local id, job = ARGV[1], KEY.JOB_PREFIX .. ARGV[1]
local was = redis.call('HMGET', job, 'status', 'number', 'handle', 'cancel')
if not was[1] then return {'unknown'} end
local waits = redis.call('ZSCORE', KEY.WAITING, id) or redis.call('ZSCORE', KEY.HELD, id)
local runs = redis.call('ZSCORE', KEY.RUNNING, id)
if not waits and (not runs or ARGV[6] == 'waiting') then return {'ended', was[1]} end
if not was[4] then note(ARGV[5]) end
local function cancelled()
  finish(id, 'cancelled', clock())
  emit('job.cancelled', id, was[2], '')
  redis.call('PUBLISH', KEY.WAKE, '')
  return {'cancelled'}
end
if waits then return cancelled() end
redis.call('HSET', job, 'cancel', '1')
if not was[4] then redis.call('HINCRBY', job, 'revision', 1) end
if not redis.call('ZSCORE', KEY.SLOTS, id) then return {'cancelling', was[1]} end  -- arq lost it: upkeep ends it
if redis.call('EXISTS', ARGV[2]) == 1 or (was[3] and was[3] ~= '') then  -- taken, or its render may still go on
  redis.call('ZADD', ARGV[4], math.floor(clock() * 1000), id)
  redis.call('PUBLISH', KEY.WAKE, '')
  return {'cancelling', was[1]}
end
-- Not picked up yet. Touching the lease makes a worker's WATCH fail if it is between its check and its EXEC.
redis.call('SET', ARGV[2], '', 'PX', 1)
redis.call('DEL', ARGV[2])
redis.call('ZREM', KEY.SLOTS, id)
redis.call('DEL', ARGV[3])
return cancelled()
