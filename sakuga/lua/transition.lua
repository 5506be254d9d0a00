-- Changes a job if it still is what the caller believes: the one place where a status changes after admission.
-- KEYS job, events, running, clips, history, waiting
-- ARGV id, allowed (",a,b,"), new status or '', attempt or '', event or '', event extra, stamp field or '',
--      expire_s or '', clip_id or '', clip, seconds or '', wake, field, value, ...
local was = redis.call('HMGET', KEYS[1], 'status', 'attempt', 'number', 'cancel')
if not was[1] then return {'unknown'} end
if not string.find(ARGV[2], ',' .. was[1] .. ',', 1, true) then return {'conflict', was[1]} end
if ARGV[4] ~= '' and ARGV[4] ~= was[2] then return {'conflict', was[1]} end
-- Somebody asked to stop it: from then on it can only end without a clip.
if was[4] and ARGV[3] ~= 'cancelled' and ARGV[3] ~= 'failed' then return {'conflict', was[1]} end
local now = clock()
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'status', ARGV[3]) end
if ARGV[7] ~= '' then redis.call('HSET', KEYS[1], ARGV[7], exact(now)) end
if #ARGV > 12 then redis.call('HSET', KEYS[1], unpack(ARGV, 13)) end
redis.call('HINCRBY', KEYS[1], 'revision', 1)
if ARGV[8] ~= '' then
  redis.call('EXPIRE', KEYS[1], ARGV[8])
  redis.call('ZREM', KEYS[3], ARGV[1])
end
if ARGV[3] == 'queued' then
  redis.call('ZADD', KEYS[6], redis.call('HGET', KEYS[1], 'start_number'), ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('PUBLISH', ARGV[12], ARGV[1])
end
if ARGV[5] ~= '' then emit(KEYS[2], ARGV[5], ARGV[1], was[3], ARGV[6]) end
if ARGV[9] ~= '' then
  redis.call('HSET', KEYS[4] .. ':documents', ARGV[9], ARGV[10])
  redis.call('ZADD', KEYS[4], exact(now), ARGV[9])
  emit(KEYS[2], 'clip.ready', ARGV[1], was[3], ',"clip_id":"' .. ARGV[9] .. '"')
end
if ARGV[11] ~= '' then
  local made = cjson.decode(ARGV[10])  -- by what drew it, which may be another engine than was asked for
  local pace = made.engine .. '/' .. made.preset
  local before = tonumber(redis.call('HGET', KEYS[5], pace) or ARGV[11])
  redis.call('HSET', KEYS[5], pace, exact(before * 0.7 + tonumber(ARGV[11]) * 0.3))
end
return {'ok', was[1]}
