-- One atomic step from request to job, or the reason why not. Nothing is charged before everything was checked.
-- ARGV id, terms as JSON, field, value, ...
local id, terms = ARGV[1], cjson.decode(ARGV[2])
local viewer, now = terms.viewer, clock()
local request = KEY.REQUEST_PREFIX .. terms.key
local seen = redis.call('HMGET', request, 'job_id', 'fingerprint')
if seen[1] then return {seen[2] == terms.fingerprint and 'again' or 'reused', seen[1]} end
if terms.retry_of ~= '' then
  local again = redis.call('HGET', KEY.JOB_PREFIX .. terms.retry_of, 'retried_as')
  if again then return {'again', again} end
end

local studio = redis.call('HMGET', KEY.STUDIO, 'closed', 'session', 'session_began', 'refill')
local session = studio[2] or ''
local live, started, since = 0, 0, math.max(tonumber(studio[3] or '0'), now - terms.session_s)
for _, other in ipairs(jobs_of(viewer, '-inf')) do
  local was = redis.call('HMGET', KEY.JOB_PREFIX .. other, 'status', 'requested_at')
  local status = was[1]
  if status and not terms.ended[status] then live = live + 1 end
  if status and (not terms.ended[status] or status == 'succeeded') and tonumber(was[2]) >= since then
    started = started + 1
  end
end

if studio[1] == '1' and not terms.forced then return {'closed', ''} end
for _, name in ipairs({viewer, terms.login}) do
  if banned(name, now) then return {'banned', ''} end
end
if not terms.forced then
  -- How long to wait is for the lane of this request to say: who cheers does not wait for the last one without bits.
  local asked_at = viewer ~= '' and tonumber(redis.call('GET', KEY.COOLDOWN_PREFIX .. viewer) or '')
  local cooling_s = asked_at and asked_at + terms.cooldown_s - now or 0
  if cooling_s > 0 then return {'cooling', math.ceil(cooling_s)} end
  if viewer ~= '' and live >= terms.active then return {'active', live} end
  local waiting = redis.call('ZCARD', KEY.WAITING) + redis.call('ZCARD', KEY.HELD)
  if waiting >= terms.waiting then return {'full', waiting} end
  if terms.estimate > 0 then
    local planned, day = promised(now) + terms.estimate, math.floor(now / 86400)
    local limits = {
      {'session:' .. session, terms.session_budget, studio[4]},
      {'day:' .. day, terms.day_budget, redis.call('GET', KEY.REFILLED_PREFIX .. day)},
    }
    local soft = false
    for _, limit in ipairs(limits) do
      local place, most = limit[1], limit[2]
      if most > 0 then
        most = most + tonumber(limit[3] or '0') + terms.refill
        local after = tonumber(redis.call('GET', KEY.SPENT_PREFIX .. place) or '0') + planned
        if after > most then return {'spent', 'hard'} end
        soft = soft or (terms.free and after > most * terms.soft)
      end
    end
    if soft then return {'spent', 'soft'} end
  end
end
if terms.dry then return {'fine', ''} end

local credits = string.gsub(terms.credits, '"at": 0.0', '"at": ' .. exact(now))
local credit_s = terms.credit_s
if started > 0 and terms.repeat_s > 0 then
  local seconds = math.min(started * terms.repeat_s, terms.repeat_cap_s)
  local nth = tostring(started + 1)
  local tens, ones = string.sub(nth, -2, -2), string.sub(nth, -1)
  local suffix = tens ~= '1' and ({['1'] = 'st', ['2'] = 'nd', ['3'] = 'rd'})[ones] or 'th'
  credits = with_credit(credits, credit_of(nth .. suffix .. ' job this stream', -seconds, 'studio', now))
  credit_s = credit_s - seconds
end
local asked = terms.requested_at > 0 and terms.requested_at or now
local start = exact(asked - credit_s)
local number = redis.call('HINCRBY', KEY.STUDIO, 'number', 1)
local job = KEY.JOB_PREFIX .. id
redis.call('HSET', job, 'id', id, 'number', number, 'status', terms.status, 'revision', 1, 'attempt', 0,
  'requested_at', exact(asked), 'start_number', start, 'credits', credits, 'viewer', viewer, 'session', session,
  'estimate', terms.estimate, 'spent', 0, 'retry_of', terms.retry_of, 'held_for', terms.held_for,
  unpack(ARGV, 3))
redis.call('ZADD', terms.status == 'held' and KEY.HELD or KEY.WAITING, start, id)
if terms.expire_s > 0 then
  redis.call('ZADD', KEY.DEADLINES, exact(now + terms.expire_s), id)
  redis.call('HSET', job, 'expires_at', exact(now + terms.expire_s))
end
if viewer ~= '' then
  local theirs = KEY.VIEWER_PREFIX .. viewer
  redis.call('ZADD', theirs, exact(now), id)
  redis.call('ZREMRANGEBYRANK', theirs, 0, -101)
  redis.call('EXPIRE', theirs, KEPT_S)
  if terms.cooldown_s > 0 and not terms.forced then
    redis.call('SET', KEY.COOLDOWN_PREFIX .. viewer, exact(now), 'PX', math.ceil(terms.cooldown_s * 1000))
  end
end
redis.call('HSET', request, 'job_id', id, 'fingerprint', terms.fingerprint)
redis.call('EXPIRE', request, terms.key_s)
if terms.retry_of ~= '' then
  redis.call('HSET', KEY.JOB_PREFIX .. terms.retry_of, 'retried_as', id)
  redis.call('HINCRBY', KEY.JOB_PREFIX .. terms.retry_of, 'revision', 1)
end
if terms.estimate > 0 then redis.call('HINCRBY', KEY.STUDIO, 'reserved', terms.estimate) end
if terms.refill > 0 then refilled(terms.refill, id, session, viewer, 'studio', 'bits', now) end
emit(terms.status == 'held' and 'job.held' or 'job.queued', id, number, '')
count('accepted', 1, redis.call('HGET', job, 'lane') or '')
note(terms.act)
redis.call('PUBLISH', KEY.WAKE, id)
return {terms.status, id}
