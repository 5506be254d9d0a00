-- Changes a job if it still is what the caller believes: the one place where a status changes after admission.
-- ARGV id, allowed (",a,b,"), new status or '', attempt or '', event or '', event extra, stamp field or '',
--      clip_id or '', clip, seconds or '', act, end of the meter ('', 'time' or millionths of a dollar), field, value, ...
-- A stamp `meter_at@1795154400.0` is of that moment, unless the meter that ends here has run until now.
local id, job = ARGV[1], KEY.JOB_PREFIX .. ARGV[1]
local was = redis.call('HMGET', job, 'status', 'attempt', 'number', 'cancel')
local status = ARGV[3]
if not was[1] then return {'unknown'} end
if not string.find(ARGV[2], ',' .. was[1] .. ',', 1, true) then return {'conflict', was[1]} end
if ARGV[4] ~= '' and ARGV[4] ~= was[2] then return {'conflict', was[1]} end
-- Somebody asked to stop it: from then on it can only end without a clip.
if was[4] and status ~= 'cancelled' and status ~= 'failed' then return {'conflict', was[1]} end
local now, metered = clock(), redis.call('HEXISTS', job, 'meter_at') == 1
local stamp, at = string.match(ARGV[7], '^([%a_]*)@?([%d.]*)$')
if ARGV[12] ~= '' then stop_meter(id, now, tonumber(ARGV[12])) end
if status ~= '' and string.find(',succeeded,failed,cancelled,rejected,expired,', ',' .. status .. ',', 1, true) then
  finish(id, status, now, status == 'failed' and string.match(ARGV[6], '"code":"([%w_]+)"') or '')
elseif status == 'queued' or status == 'held' then
  stop_meter(id, now)
  for _, set in ipairs({KEY.WAITING, KEY.HELD, KEY.RUNNING}) do redis.call('ZREM', set, id) end
  redis.call('HSET', job, 'status', status)
  redis.call('HDEL', job, 'holder')
  redis.call('ZADD', status == 'held' and KEY.HELD or KEY.WAITING, redis.call('HGET', job, 'start_number'), id)
  redis.call('PUBLISH', KEY.WAKE, id)
elseif status ~= '' then
  redis.call('HSET', job, 'status', status)
  if status == 'finishing' then redis.call('HSET', job, 'files', '1') end  -- which are the shredder's without a clip
end
if stamp ~= '' then redis.call('HSET', job, stamp, exact(not metered and tonumber(at) or now)) end
if stamp == 'meter_at' then count('attempts', 1, redis.call('HGET', job, 'engine') or '') end
if #ARGV > 12 then redis.call('HSET', job, unpack(ARGV, 13)) end
redis.call('HINCRBY', job, 'revision', 1)
if ARGV[5] ~= '' then emit(ARGV[5], id, was[3], ARGV[6]) end
note(ARGV[11])
if ARGV[8] ~= '' then
  redis.call('HSET', KEY.CLIP_DOCUMENTS, ARGV[8], ARGV[9])
  redis.call('ZADD', KEY.CLIPS, exact(now), ARGV[8])
  emit('clip.ready', id, was[3], ',"clip_id":"' .. ARGV[8] .. '"')
end
if status == 'succeeded' or status == 'failed' or status == 'cancelled' then  -- for the forecast: how long it took
  local entry = {job_id = id, status = status, attempt = tonumber(was[2]), ended_at = now}
  entry.render_s = tonumber(ARGV[10])
  local texts = {'engine', 'preset', 'lane'}
  local numbers = {'duration_s', 'requested_at', 'start_number', 'admitted_at', 'started_at', 'promised_p50_s',
    'promised_p90_s', 'spent'}
  for _, field in ipairs(texts) do entry[field] = redis.call('HGET', job, field) or nil end
  for _, field in ipairs(numbers) do entry[field] = tonumber(redis.call('HGET', job, field) or '') end
  if ARGV[9] ~= '' then  -- by what drew it, which may be another engine than was asked for
    local made = cjson.decode(ARGV[9])
    entry.engine, entry.preset = made.engine, made.preset
    if entry.render_s then observe('render', entry.render_s, made.engine or '', made.preset or '') end
  end
  if entry.admitted_at then
    redis.call('LPUSH', KEY.ENDED, cjson.encode(entry))
    redis.call('LTRIM', KEY.ENDED, 0, 599)
  end
end
return {'ok', was[1]}
