-- Opens, closes, pauses or drains the queue.   ARGV act, field, value, ...   Returns 1 if that changed anything
local now, changed = clock(), false
for i = 2, #ARGV, 2 do
  local before = redis.call('HGET', KEY.STUDIO, ARGV[i]) or '0'
  if before ~= ARGV[i + 1] then
    changed = true
    redis.call('HSET', KEY.STUDIO, ARGV[i], ARGV[i + 1])
    if ARGV[i] == 'paused' and ARGV[i + 1] == '1' then redis.call('HSET', KEY.STUDIO, 'paused_at', exact(now)) end
    if ARGV[i] == 'paused' and ARGV[i + 1] == '0' then  -- the time that nobody could start is not held against them
      local stood = now - tonumber(redis.call('HGET', KEY.STUDIO, 'paused_at') or now)
      for _, id in ipairs(redis.call('ZRANGE', KEY.DEADLINES, 0, -1)) do
        local later = redis.call('ZINCRBY', KEY.DEADLINES, exact(stood), id)
        redis.call('HSET', KEY.JOB_PREFIX .. id, 'expires_at', exact(later))
      end
    end
  end
end
if changed then
  local is = redis.call('HMGET', KEY.STUDIO, 'closed', 'paused', 'draining')
  tell('queue.changed', '{"open":' .. tostring(is[1] ~= '1') .. ',"paused":' .. tostring(is[2] == '1')
    .. ',"draining":' .. tostring(is[3] == '1') .. '}')
  note(ARGV[1])
  redis.call('PUBLISH', KEY.WAKE, '')
end
return changed and 1 or 0
