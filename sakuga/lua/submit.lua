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
local redeemed = type(terms.redemption) == 'table' and terms.redemption
if redeemed then  -- one redemption is one job, under whichever key it comes
  local known = redis.call('HMGET', KEY.REDEMPTION_PREFIX .. redeemed.name, 'state', 'job_id')
  if known[1] and redis.call('EXISTS', KEY.JOB_PREFIX .. known[2]) == 1 then return {'again', known[2]} end
  if known[1] then return {'redeemed', known[1]} end
end

local messages = terms.messages
if terms.message ~= '' then messages[#messages + 1] = terms.message end
for _, message in ipairs(messages) do
  if redis.call('SISMEMBER', KEY.MESSAGE_PREFIX .. message, '') == 1 then return {'retracted', ''} end
end
if redis.call('EXISTS', KEY.SUPPORT_PREFIX .. terms.message) == 1 or bits_are_spent(terms.message) then
  terms.bits, terms.refill = 0, 0  -- they are in the purse or in a job already
end
if terms.parent ~= '' and terms.retry_of == '' then  -- it may have been held or taken out since it was looked up
  local stem = string.gsub(terms.parent, '^%a+_', '')
  local was = redis.call('HMGET', KEY.JOB_PREFIX .. 'job_' .. stem, 'status', 'held_for')
  local under_way = was[1] and not terms.ended[was[1]]
  local unseen = was[1] == 'held' or (was[2] or '') ~= ''
  if unseen or not (under_way or redis.call('ZSCORE', KEY.CLIPS, 'clip_' .. stem)) then return {'orphan', ''} end
end

local studio = redis.call('HMGET', KEY.STUDIO, 'closed', 'session', 'session_began', 'refill')
local session = studio[2] or ''
local live, started, since = 0, 0, math.max(tonumber(studio[3] or '0'), now - terms.session_s)
for _, other in ipairs(jobs_of(viewer, '-inf')) do
  local was = redis.call('HMGET', KEY.JOB_PREFIX .. other, 'status', 'requested_at', 'ensemble')
  local status = (was[3] or '[]') == '[]' and was[1]  -- what was asked for together counts for nobody
  if status and not terms.ended[status] then live = live + 1 end
  if status and (not terms.ended[status] or status == 'succeeded') and tonumber(was[2]) >= since then
    started = started + 1
  end
end

-- Bits of the request and of the viewer's purse: too few together are kept, else the purse adds what makes full
-- hundreds, as far as those earn head start. A job that is tried again costs what it did, as far as that is there.
local purse, from_purse = tonumber(viewer ~= '' and redis.call('HGET', KEY.PURSES, viewer) or '0'), 0
if terms.retry_of ~= '' then
  from_purse = math.min(purse, tonumber(redis.call('HGET', KEY.JOB_PREFIX .. terms.retry_of, 'bits') or '0'))
elseif terms.bits + purse >= 100 then
  local useful = math.max(terms.bits, terms.bits_most)
  from_purse = math.max(0, math.min(math.floor((terms.bits + purse) / 100) * 100, useful) - terms.bits)
elseif viewer ~= '' then
  from_purse = -terms.bits
end
local bits = terms.bits + from_purse
local paid = bits >= 100 and terms.retry_of == ''
if paid then
  for name, better in pairs(terms.paid) do terms[name] = better end
end

if studio[1] == '1' and not terms.forced then return {'closed', ''} end
for _, name in ipairs({viewer, terms.login, unpack(terms.crowd)}) do
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
if paid then
  local seconds = math.min(math.floor(bits / 100) * terms.hundred_bits_s, terms.bits_cap_s)
  credits = with_credit(credits, credit_of(string.format('%d bits', bits), seconds, 'studio', now))
  credit_s = credit_s + seconds
end
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
  'bits', string.format('%d', bits), 'redemption', redeemed and redeemed.name or '', unpack(ARGV, 3))
if paid then redis.call('HSET', job, 'lane', 'bits') end
into_purse(viewer, -from_purse, from_purse < 0 and 'too few yet' or string.format('for C-%03d', number), now)
if redeemed then
  redis.call('HSET', KEY.REDEMPTION_PREFIX .. redeemed.name, 'platform', redeemed.platform,
    'redemption_id', redeemed.id, 'reward_id', redeemed.reward_id, 'cost', redeemed.cost, 'viewer', viewer,
    'name', terms.name, 'job_id', id)
  redeem(redeemed.name, 'held', '', '', now)
end
redis.call('ZADD', terms.status == 'held' and KEY.HELD or KEY.WAITING, start, id)
redis.call('HSET', KEY.NUMBERS, number, id)
for _, name in ipairs(terms.crowd) do
  redis.call('ZADD', KEY.VIEWER_PREFIX .. name, exact(now), id)
  redis.call('ZREMRANGEBYRANK', KEY.VIEWER_PREFIX .. name, 0, -101)
  redis.call('EXPIRE', KEY.VIEWER_PREFIX .. name, KEPT_S)
end
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
for _, message in ipairs(messages) do
  redis.call('SADD', KEY.MESSAGE_PREFIX .. message, id)
  redis.call('EXPIRE', KEY.MESSAGE_PREFIX .. message, KEPT_S)
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
