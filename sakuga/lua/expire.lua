-- Ends jobs that waited for too long. While the queue is paused nobody can start, so nobody is late.   Returns how many
if redis.call('HGET', KEY.STUDIO, 'paused') == '1' then return 0 end
local now = clock()
local late = redis.call('ZRANGEBYSCORE', KEY.DEADLINES, '-inf', exact(now), 'LIMIT', 0, 200)
for _, id in ipairs(late) do
  local number = redis.call('HGET', KEY.JOB_PREFIX .. id, 'number')
  if number then
    finish(id, 'expired', now)
    emit('job.expired', id, number, '')
  end
  redis.call('ZREM', KEY.DEADLINES, id)
end
return #late
