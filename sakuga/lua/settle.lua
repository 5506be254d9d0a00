-- What arq does when a task has ended, if the worker still holds the job: one that was taken over changes nothing.
-- KEYS lease, slots, arq job, arq retry, arq result, arq abort
-- ARGV holder, job id, 'end' or 'again', result or '', result_ms
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HDEL', KEY.JOB_PREFIX .. ARGV[2], 'holder')
if ARGV[3] == 'end' then
  redis.call('ZREM', KEYS[2], ARGV[2])
  redis.call('ZREM', KEYS[6], ARGV[2])
  redis.call('DEL', KEYS[3], KEYS[4])
  if ARGV[4] ~= '' then redis.call('SET', KEYS[5], ARGV[4], 'PX', ARGV[5]) end
end
return 1
