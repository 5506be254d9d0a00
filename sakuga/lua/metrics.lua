-- Everything that /metrics tells of this moment, and what was counted so far.   ARGV seen_within_s, limit of a set
local now, jobs, oldest = clock(), {}, 0
local limit = tonumber(ARGV[2])
local function tally(status, lane, by)
  local field = status .. '|' .. lane
  jobs[field] = (jobs[field] or 0) + by
end
for _, set in ipairs({KEY.WAITING, KEY.HELD, KEY.RUNNING}) do
  for _, id in ipairs(redis.call('ZRANGE', set, 0, limit - 1)) do
    local of = redis.call('HMGET', KEY.JOB_PREFIX .. id, 'status', 'lane', 'requested_at')
    if of[1] and of[2] and of[3] then
      tally(of[1], of[2], 1)
      if set == KEY.WAITING then oldest = math.max(oldest, now - tonumber(of[3])) end
    end
  end
  local more = redis.call('ZCARD', set) - limit
  if more > 0 then tally(set == KEY.HELD and 'held' or 'queued', 'unlisted', more) end
end
local listed = {}
for field, number in pairs(jobs) do
  listed[#listed + 1] = field
  listed[#listed + 1] = number
end

local hooks = {active = 0, disabled = 0, waiting = 0, dead = 0}
for _, id in ipairs(redis.call('ZRANGE', KEY.WEBHOOKS, 0, -1)) do
  local state = redis.call('HGET', KEY.WEBHOOK_PREFIX .. id, 'disabled_at') == '' and 'active' or 'disabled'
  hooks[state] = hooks[state] + 1
  hooks.waiting = hooks.waiting + redis.call('ZCARD', KEY.WEBHOOK_DUE_PREFIX .. id)
  hooks.dead = hooks.dead + redis.call('ZCARD', KEY.WEBHOOK_DEAD_PREFIX .. id)
end

local workers = redis.call('ZRANGEBYSCORE', KEY.WORKERS, exact(now - ARGV[1]), '+inf')
local is = redis.call('HMGET', KEY.STUDIO, 'slots', 'closed', 'paused', 'live')
local figures = {
  'oldest_wait_seconds', exact(oldest),
  'slots', is[1] or '0',
  'slots_busy', redis.call('ZCARD', KEY.SLOTS),
  'queue_open', is[2] == '1' and 0 or 1,
  'queue_paused', is[3] == '1' and 1 or 0,
  'session_live', is[4] == '1' and 1 or 0,
  'workers', #workers,
  'stage_managed', redis.call('EXISTS', KEY.STAGE_MANAGER),
  'clips', redis.call('ZCARD', KEY.CLIPS),
  'events_kept', redis.call('XLEN', KEY.EVENTS),
}
return {figures, listed, {hooks.active, hooks.disabled, hooks.waiting, hooks.dead},
  #workers > 0 and redis.call('HMGET', KEY.WORKER_DOCUMENTS, unpack(workers)) or {},
  redis.call('HGETALL', KEY.METRICS)}
