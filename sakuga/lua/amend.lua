-- Changes a job that waits, if it still is at the revision that the caller saw: its order, its fields, or both.
-- ARGV id, revision or '', change as JSON, act as JSON or '', field, value, ...
-- change: credits (JSON to put in place of the old, or ''), credit_s (more head start), place (0 is first, or -1),
--         reason and by of the credit that a place makes, held_for (why it must be looked at as it is then, or ''),
--         and key ('' for none), fingerprint, key_s as in submit.lua
local id, job, change = ARGV[1], KEY.JOB_PREFIX .. ARGV[1], cjson.decode(ARGV[3])
local was = redis.call('HMGET', job, 'status', 'number', 'credits', 'revision')
if not was[1] then return {'unknown'} end
local request = KEY.REQUEST_PREFIX .. change.key
local seen = change.key ~= '' and redis.call('HMGET', request, 'job_id', 'fingerprint') or {}
if seen[1] then return {seen[1] == id and seen[2] == change.fingerprint and 'ok' or 'reused', was[1]} end
local set = (was[1] == 'held' and KEY.HELD) or KEY.WAITING
local score = redis.call('ZSCORE', set, id)
if not score or (was[1] == 'held' and change.place >= 0) then return {'conflict', was[1]} end
if ARGV[2] ~= '' and ARGV[2] ~= was[4] then return {'stale', was[1]} end
local now, before = clock(), tonumber(score)
local after = before - change.credit_s
local credits = change.credits ~= '' and change.credits or was[3]
local function at(place)
  local found = redis.call('ZRANGE', set, place, place, 'WITHSCORES')
  return found[2] and tonumber(found[2])
end
if change.place >= 0 then
  redis.call('ZREM', set, id)
  local place = math.min(change.place, redis.call('ZCARD', set))
  local above, below = place > 0 and at(place - 1), at(place)
  if (not above or before > above) and (not below or before < below) then
    after = before  -- it stands there already
  elseif not above then
    after = below - 0.001
  elseif not below then
    after = above + 0.001
  else
    after = math.min(above + 0.001, (above + below) / 2)
    if below - above < 0.000004 then  -- no room left between two microseconds: shift those ahead a little
      for _, other in ipairs(redis.call('ZRANGE', set, 0, place - 1)) do
        redis.call('HSET', KEY.JOB_PREFIX .. other, 'start_number', exact(redis.call('ZINCRBY', set, -0.001, other)))
      end
      after = below - 0.0005
    end
  end
  if after ~= before then
    credits = with_credit(credits, credit_of(change.reason, before - after, change.by, now))
  end
end
redis.call('ZADD', set, exact(after), id)
redis.call('HSET', job, 'start_number', exact(after))
redis.call('HSET', job, 'credits', credits)
for i = 5, #ARGV, 2 do  -- what another engine is foreseen to cost is promised in place of what the old one was
  if ARGV[i] == 'prompt' then redis.call('HDEL', job, 'direction') end  -- what a moderator writes is drawn as it is
  if ARGV[i] == 'estimate' then
    local promised = tonumber(redis.call('HGET', job, 'estimate') or '0')
    redis.call('HINCRBY', KEY.STUDIO, 'reserved', tonumber(ARGV[i + 1]) - promised)
  end
end
if #ARGV > 4 then redis.call('HSET', job, unpack(ARGV, 5)) end
if change.held_for ~= '' then  -- in the same step, or it could begin before anybody has looked
  redis.call('ZREM', KEY.WAITING, id)
  redis.call('ZADD', KEY.HELD, exact(after), id)
  redis.call('HSET', job, 'status', 'held', 'held_for', change.held_for)
end
redis.call('HINCRBY', job, 'revision', 1)
note((string.gsub(ARGV[4], '"moved_s":0.0', '"moved_s":' .. exact(before - after))))
if after ~= before then emit('job.moved', id, was[2], '') end
if #ARGV > 4 then emit('job.edited', id, was[2], '') end
if change.key ~= '' then
  redis.call('HSET', request, 'job_id', id, 'fingerprint', change.fingerprint)
  redis.call('EXPIRE', request, change.key_s)
end
if change.held_for ~= '' and was[1] ~= 'held' then emit('job.held', id, was[2], '') end
return {'ok'}
