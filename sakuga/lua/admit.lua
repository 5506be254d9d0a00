-- Moves the lowest start numbers into arq while slots are free. arq keeps a job in its zset until it has ended,
-- so that zset is the slot table.
-- ARGV arq_job_prefix, arq_payload, expires_ms
local studio = redis.call('HMGET', KEY.STUDIO, 'paused', 'slots')
if studio[1] == '1' then return 0 end
local free = tonumber(studio[2] or '0') - redis.call('ZCARD', KEY.SLOTS)
local admitted = 0
local now = clock()
while free > 0 do
  local first = redis.call('ZPOPMIN', KEY.WAITING)
  if #first == 0 then break end
  local id = first[1]
  local job = KEY.JOB_PREFIX .. id
  local is = redis.call('HMGET', job, 'number', 'lane', 'requested_at', 'admitted_at')
  local number = is[1]
  if number then
    redis.call('PSETEX', ARGV[1] .. id, ARGV[3], (string.gsub(ARGV[2], 'JOB_ID', id)))
    -- A minute back: arq defers what lies in the future, and workers' clocks may differ from the broker's.
    redis.call('ZADD', KEY.SLOTS, math.floor(now * 1000) - 60000 + admitted, id)
    redis.call('ZADD', KEY.RUNNING, exact(now), id)
    redis.call('ZREM', KEY.DEADLINES, id)
    redis.call('HSET', job, 'status', 'starting', 'stage', 'loading', 'admitted_at', exact(now))
    redis.call('HINCRBY', job, 'revision', 1)
    emit('job.admitted', id, number, '')
    if not is[4] then observe('wait', math.max(0, now - tonumber(is[3])), is[2] or '') end
    admitted = admitted + 1
    free = free - 1
  end
end
if admitted > 0 then redis.call('PUBLISH', KEY.WAKE, '') end
return admitted
