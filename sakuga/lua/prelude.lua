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

-- Puts bits into a viewer's purse, or takes them out of it.
local function into_purse(viewer, bits, reason, now)
  if viewer == '' or bits == 0 then return end
  if redis.call('HINCRBY', KEY.PURSES, viewer, bits) == 0 then redis.call('HDEL', KEY.PURSES, viewer) end
  local changes = KEY.PURSE_PREFIX .. viewer
  redis.call('LPUSH', changes, string.format('%s %d %s', exact(now), bits, reason))
  redis.call('LTRIM', changes, 0, 19)
  redis.call('EXPIRE', changes, 7776000)
end

-- Whether a job has the bits that came with a message: they count once, whoever tells of it.
local function bits_are_spent(message)
  for _, id in ipairs(redis.call('SMEMBERS', KEY.MESSAGE_PREFIX .. message)) do
    local who = redis.call('HGET', KEY.JOB_PREFIX .. id, 'requested_by')
    if who and (cjson.decode(who).bits or 0) > 0 then return true end
  end
  return false
end

-- Brings a redemption into a state, with what is owed or was done and why.
local function redeem(name, state, outcome, reason, now)
  redis.call('HSET', KEY.REDEMPTION_PREFIX .. name, 'state', state, 'outcome', outcome, 'reason', reason,
    'at', exact(now))
  for _, other in ipairs({'held', 'due', 'settled'}) do redis.call('ZREM', KEY.REDEMPTIONS_PREFIX .. other, name) end
  redis.call('ZADD', KEY.REDEMPTIONS_PREFIX .. state, exact(now), name)
end

-- Gives back what was paid for a job that ended without a clip. Its redemption is due until the platform knows.
local function close_bill(id, status, now, code)
  local job = KEY.JOB_PREFIX .. id
  local paid = redis.call('HMGET', job, 'redemption', 'bits', 'viewer', 'number')
  local made, name = status == 'succeeded', paid[1] or ''
  if name ~= '' and redis.call('HGET', KEY.REDEMPTION_PREFIX .. name, 'state') == 'held' then
    redeem(name, 'due', made and 'fulfilled' or 'refunded', made and '' or (code or '') ~= '' and code or status, now)
  end
  if not made and paid[2] then
    into_purse(paid[3] or '', tonumber(paid[2]), string.format('C-%03d %s', tonumber(paid[4]), status), now)
  end
end

-- Ends a job: nothing may come after it.
local function finish(id, status, now, code)
  local job = KEY.JOB_PREFIX .. id
  stop_meter(id, now)
  local estimate = tonumber(redis.call('HGET', job, 'estimate') or '0')
  if estimate > 0 then redis.call('HINCRBY', KEY.STUDIO, 'reserved', -estimate) end
  redis.call('HSET', job, 'status', status, 'stage', 'done', 'finished_at', exact(now))
  if status ~= 'succeeded' and redis.call('HEXISTS', job, 'files') == 1 then
    local clip_id = (string.gsub(id, '^job_', 'clip_'))
    redis.call('HSET', KEY.CLIPS_TAKEN_OUT, clip_id,
      '{"id":"' .. clip_id .. '","number":' .. redis.call('HGET', job, 'number') .. '}')
  end
  redis.call('HINCRBY', job, 'revision', 1)
  close_bill(id, status, now, code)
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

-- Ends a job wherever it is, by arq's keys of its lease, its task and its aborts. A running one is only marked: the
-- worker that holds it stops the render and ends it.   Returns 'cancelled', 'cancelling', or 'ended' if it had ended
local function stop_job(id, arq_lease, arq_job, arq_aborts)
  local job = KEY.JOB_PREFIX .. id
  local was = redis.call('HMGET', job, 'number', 'handle', 'cancel')
  local function cancelled()
    finish(id, 'cancelled', clock())
    emit('job.cancelled', id, was[1], '')
    redis.call('PUBLISH', KEY.WAKE, '')
    return 'cancelled'
  end
  if redis.call('ZSCORE', KEY.WAITING, id) or redis.call('ZSCORE', KEY.HELD, id) then return cancelled() end
  if not redis.call('ZSCORE', KEY.RUNNING, id) then return 'ended' end
  redis.call('HSET', job, 'cancel', '1')
  if not was[3] then redis.call('HINCRBY', job, 'revision', 1) end
  if not redis.call('ZSCORE', KEY.SLOTS, id) then return 'cancelling' end  -- arq lost it: upkeep ends it
  if redis.call('EXISTS', arq_lease) == 1 or (was[2] and was[2] ~= '') then  -- taken, or its render may still go on
    redis.call('ZADD', arq_aborts, math.floor(clock() * 1000), id)
    redis.call('PUBLISH', KEY.WAKE, '')
    return 'cancelling'
  end
  -- Not picked up yet. Touching the lease makes a worker's WATCH fail if it is between its check and its EXEC.
  redis.call('SET', arq_lease, '', 'PX', 1)
  redis.call('DEL', arq_lease)
  redis.call('ZREM', KEY.SLOTS, id)
  redis.call('DEL', arq_job)
  return cancelled()
end

-- Takes a clip out of the gallery and off the stage; its files are the shredder's.   Returns its document, or nil
local function take_out(clip_id)
  local document = redis.call('ZREM', KEY.CLIPS, clip_id) == 1 and redis.call('HGET', KEY.CLIP_DOCUMENTS, clip_id)
  if not document then return nil end
  redis.call('HDEL', KEY.CLIP_DOCUMENTS, clip_id)
  redis.call('HSET', KEY.CLIPS_TAKEN_OUT, clip_id, document)
  if redis.call('HGET', KEY.STAGE, 'clip_id') == clip_id then set_stage('idle', '', '') end
  tell('clip.removed', '{"clip_id":"' .. clip_id .. '"}')
  return document
end

-- Who asked, from JSON, and the names that bans and retractions may call them by: of their id, and of their login
-- unless that looks like an id; and the names, in JSON, of all who asked together.
local function asked_by(json, crowd)
  local fine, who = pcall(cjson.decode, json or '')
  if not fine or type(who) ~= 'table' then return {}, {} end
  local function text(field) return type(who[field]) == 'string' and who[field] or '' end
  local platform, login = text('platform'), string.lower(text('login'))
  local known = string.gsub(text('id') ~= '' and text('id') or login, '[%s/]', '')
  local names = {}
  if known ~= '' then names[platform .. ':' .. known] = true end
  if login ~= '' and not string.find(login, '^%d+$') then names[platform .. ':' .. login] = true end
  for _, name in ipairs(cjson.decode(crowd or '[]')) do names[name] = true end
  return who, names
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

-- Takes lines out of the pot; `meant` is asked with what viewer and message are called, and with the line.
-- Returns how many those were
local function leave_pot(meant)
  local left = 0
  local lines = redis.call('HGETALL', KEY.POT_LINES)
  for at = 1, #lines, 2 do
    local viewer, line = lines[at], cjson.decode(lines[at + 1])
    local names = {[viewer] = true, [line.message] = true}
    for _, name in ipairs(line.called) do names[name] = true end
    if meant(names, line) then
      redis.call('HDEL', KEY.POT_LINES, viewer)
      redis.call('HINCRBY', KEY.POT, 'chars', -line.chars)
      left = left + 1
    end
  end
  return left
end
