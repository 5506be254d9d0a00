-- The queue as the forecast sees it: a few fields of each job, and which job ended last.   ARGV limit
local function rows(key, last)
  local found, told = redis.call('ZRANGE', key, 0, last, 'WITHSCORES'), {}
  for at = 1, #found, 2 do
    local of = redis.call('HMGET', KEY.JOB_PREFIX .. found[at], 'engine', 'preset', 'duration_s', 'requested_at',
      'start_number', 'started_at', 'progress')
    local row = {found[at], found[at + 1]}
    for field = 1, 7 do row[field + 2] = of[field] or '' end
    told[#told + 1] = row
  end
  return told
end
local studio = redis.call('HMGET', KEY.STUDIO, 'slots', 'paused')
local limit = tonumber(ARGV[1])
return {studio[1] or '1', studio[2] or '0', redis.call('ZCARD', KEY.WAITING), exact(clock()),
  redis.call('LINDEX', KEY.ENDED, 0) or '', rows(KEY.RUNNING, -1), limit > 0 and rows(KEY.WAITING, limit - 1) or {}}
