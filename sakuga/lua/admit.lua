-- Moves the lowest start numbers into arq while slots are free. arq keeps a job in its zset until it has ended,
-- so that zset is the slot table.
-- KEYS waiting, slots, studio, events, running   ARGV job_prefix, arq_job_prefix, arq_payload, expires_ms, wake
if redis.call('HGET', KEYS[3], 'paused') == '1' then return 0 end
local free = tonumber(redis.call('HGET', KEYS[3], 'slots') or '0') - redis.call('ZCARD', KEYS[2])
local admitted = 0
local now = clock()
while free > 0 do
  local first = redis.call('ZPOPMIN', KEYS[1])
  if #first == 0 then break end
  local id = first[1]
  local number = redis.call('HGET', ARGV[1] .. id, 'number')
  if number then
    redis.call('PSETEX', ARGV[2] .. id, ARGV[4], (string.gsub(ARGV[3], 'JOB_ID', id)))
    -- A minute back: arq defers what lies in the future, and workers' clocks may differ from the broker's.
    redis.call('ZADD', KEYS[2], math.floor(now * 1000) - 60000 + admitted, id)
    redis.call('ZADD', KEYS[5], exact(now), id)
    redis.call('HSET', ARGV[1] .. id, 'status', 'starting', 'stage', 'loading')
    redis.call('HINCRBY', ARGV[1] .. id, 'revision', 1)
    emit(KEYS[4], 'job.admitted', id, number, '')
    admitted = admitted + 1
    free = free - 1
  end
end
if admitted > 0 then redis.call('PUBLISH', ARGV[5], '') end
return admitted
