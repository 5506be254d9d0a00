-- Put before every script, behind the names of all keys (KEY), how long an ended job is kept (KEPT_S) and the steps in
-- which seconds are counted (STEPS_S):
-- the broker's clock, exact numbers, the logs, and what every end of a job has in common.
local function clock()
  local t = redis.call('TIME')
  return tonumber(t[1]) + tonumber(t[2]) / 1000000
end

local function exact(seconds) return string.format('%.6f', seconds) end

-- Writes an event; `data` is JSON.
local function tell(kind, data)
  redis.call('XADD', KEY.EVENTS, 'MAXLEN', '~', 20000, '*', 'type', kind, 'data', data)
end

local function emit(kind, id, number, extra)
  tell(kind, '{"job_id":"' .. id .. '","number":' .. number .. extra .. '}')
end

-- Says what is on air from now on, for so many seconds if that is planned.
local function set_stage(state, clip_id, seconds)
  local now = clock()
  redis.call('HSET', KEY.STAGE, 'state', state, 'clip_id', clip_id, 'since', exact(now),
    'until', seconds == '' and '' or exact(now + tonumber(seconds)))
  if state == 'result' then redis.call('HSET', KEY.STAGE, 'last_result', clip_id) end
  local revision = redis.call('HINCRBY', KEY.STAGE, 'revision', 1)
  tell('stage.changed', '{"state":"' .. state .. '","clip_id":' .. (clip_id == '' and 'null' or '"' .. clip_id .. '"')
    .. ',"revision":' .. revision .. '}')
end

-- Writes down who did something to the queue; `act` is JSON, or '' if nobody did.
local function note(act)
  if act ~= '' then redis.call('XADD', KEY.AUDIT, 'MAXLEN', '~', 5000, '*', 'act', act) end
end

-- Counts for /metrics, by the words of sakuga/metric.py. A label has few values, and none is a viewer's.
local function count(name, by, ...)
  redis.call('HINCRBY', KEY.METRICS, table.concat({name, ...}, '|'), by)
end

local function observe(name, seconds, ...)
  local key, step = table.concat({name, ...}, '|') .. '|', #STEPS_S + 1
  for place = #STEPS_S, 1, -1 do
    if seconds <= STEPS_S[place] then step = place end
  end
  redis.call('HINCRBY', KEY.METRICS, key .. step, 1)
  redis.call('HINCRBY', KEY.METRICS, key .. 'ms', math.floor(seconds * 1000 + 0.5))
end

-- Adds to what was spent, in millionths of a dollar, wherever it counts.
local function spend(id, attempt, micro, session, viewer, now)
  for _, place in ipairs({'total', 'day:' .. math.floor(now / 86400), 'session:' .. session}) do
    redis.call('INCRBY', KEY.SPENT_PREFIX .. place, micro)
    if place ~= 'total' then redis.call('EXPIRE', KEY.SPENT_PREFIX .. place, 7776000) end
  end
  if viewer ~= '' then
    redis.call('ZINCRBY', KEY.SPENDERS_PREFIX .. session, micro, viewer)
    redis.call('EXPIRE', KEY.SPENDERS_PREFIX .. session, 7776000)
  end
  redis.call('HINCRBY', KEY.JOB_PREFIX .. id, 'spent', micro)
  count('spent', micro, redis.call('HGET', KEY.JOB_PREFIX .. id, 'engine') or '')
  redis.call('XADD', KEY.LEDGER, 'MAXLEN', '~', 100000, '*', 'type', 'spent', 'job_id', id, 'attempt', attempt,
    'usd_micro', micro, 'session', session, 'viewer', viewer)
end

-- Adds to what may be spent in this session and on this day.
local function refilled(micro, id, session, viewer, by, reason, now)
  redis.call('HINCRBY', KEY.STUDIO, 'refill', micro)
  count('refilled', micro, reason == 'bits' and by == 'studio' and 'bits' or 'moderator')
  local day = KEY.REFILLED_PREFIX .. math.floor(now / 86400)
  redis.call('INCRBY', day, micro)
  redis.call('EXPIRE', day, 7776000)
  redis.call('XADD', KEY.LEDGER, 'MAXLEN', '~', 100000, '*', 'type', 'refilled', 'job_id', id, 'usd_micro', micro,
    'session', session, 'viewer', viewer, 'by', by, 'reason', reason)
end

-- What is promised to jobs that have not ended. One whose render took more than was foreseen counts with what it took.
local function promised(now)
  local micro = tonumber(redis.call('HGET', KEY.STUDIO, 'reserved') or '0')
  for _, id in ipairs(redis.call('ZRANGE', KEY.RUNNING, 0, -1)) do
    local of = redis.call('HMGET', KEY.JOB_PREFIX .. id, 'meter_at', 'meter_rate', 'estimate')
    if of[1] then
      local taken = math.ceil(math.max(0, now - tonumber(of[1])) * tonumber(of[2] or '0'))
      micro = micro + math.max(0, taken - tonumber(of[3] or '0'))
    end
  end
  return micro
end

-- Ends the metering of an attempt: by what its renderer says that it cost, else by the time since it began.
local function stop_meter(id, now, told)
  local job = KEY.JOB_PREFIX .. id
  local was = redis.call('HMGET', job, 'meter_at', 'meter_rate', 'attempt', 'session', 'viewer')
  if not was[1] then return end
  redis.call('HDEL', job, 'meter_at', 'meter_rate', 'asked_for', 'asked_at')  -- the same attempt may be begun anew
  local micro = told or math.ceil(math.max(0, now - tonumber(was[1])) * tonumber(was[2] or '0'))
  if micro > 0 then spend(id, was[3] or '0', micro, was[4] or '', was[5] or '', now) end
end

-- Ends a job: nothing may come after it.
local function finish(id, status, now, code)
  local job = KEY.JOB_PREFIX .. id
  stop_meter(id, now)
  local estimate = tonumber(redis.call('HGET', job, 'estimate') or '0')
  if estimate > 0 then redis.call('HINCRBY', KEY.STUDIO, 'reserved', -estimate) end
  redis.call('HSET', job, 'status', status, 'stage', 'done', 'finished_at', exact(now))
  redis.call('HINCRBY', job, 'revision', 1)
  count('ended', 1, status, code or '')
  redis.call('EXPIRE', job, KEPT_S)
  for _, set in ipairs({KEY.WAITING, KEY.HELD, KEY.RUNNING, KEY.DEADLINES}) do redis.call('ZREM', set, id) end
  redis.call('DEL', KEY.UPVOTES_PREFIX .. id)
end

-- Returns a credit as JSON, and credits (JSON) with one more behind them.
local function credit_of(reason, seconds, by, now)
  return '{"reason":' .. cjson.encode(reason) .. ',"seconds":' .. exact(seconds) .. ',"by":' .. cjson.encode(by)
    .. ',"at":' .. exact(now) .. '}'
end

local function with_credit(credits, credit)
  return credits == '[]' and '[' .. credit .. ']' or string.sub(credits, 1, -2) .. ',' .. credit .. ']'
end

-- Whether a viewer is kept out at that time.
local function banned(viewer, now)
  local ban = viewer ~= '' and redis.call('HGET', KEY.BANS, viewer)
  local until_at = ban and cjson.decode(ban)['until']
  return ban and (type(until_at) ~= 'number' or until_at > now)
end

-- Lets jobs of a viewer be found: the newest hundred.
local function jobs_of(viewer, since)
  if viewer == '' then return {} end
  return redis.call('ZRANGEBYSCORE', KEY.VIEWER_PREFIX .. viewer, since, '+inf')
end
