-- Gives a waiting job a credit: so many seconds, or as many as bring it to a place (0 is first).
-- KEYS job, waiting, events   ARGV id, reason as JSON string, 'credit' or 'place', seconds or place, job_prefix
local was = redis.call('HMGET', KEYS[1], 'status', 'number', 'credits')
if not was[1] then return {'unknown'} end
local score = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not score then return {'conflict', was[1]} end
local function at(place)
  local found = redis.call('ZRANGE', KEYS[2], place, place, 'WITHSCORES')
  return found[2] and tonumber(found[2])
end
local before = tonumber(score)
local after = before - tonumber(ARGV[4])
if ARGV[3] == 'place' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  local place = math.min(tonumber(ARGV[4]), redis.call('ZCARD', KEYS[2]))
  local above, below = place > 0 and at(place - 1), at(place)
  if (not above or before > above) and (not below or before < below) then
    after = before  -- it stands there already
  elseif not above then
    after = below - 0.001
  else
    below = below or clock()  -- a start number is never in the future
    after = math.min(above + 0.001, (above + below) / 2)
    if below - above < 0.000004 then  -- no room left between two microseconds: shift those ahead a little
      for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, place - 1)) do
        redis.call('HSET', ARGV[5] .. id, 'start_number', exact(redis.call('ZINCRBY', KEYS[2], -0.001, id)))
      end
      after = below - 0.0005
    end
  end
end
redis.call('ZADD', KEYS[2], exact(after), ARGV[1])
local credit = '{"reason":' .. ARGV[2] .. ',"seconds":' .. exact(before - after) .. '}'
local credits = was[3] == '[]' and '[' .. credit .. ']' or string.sub(was[3], 1, -2) .. ',' .. credit .. ']'
redis.call('HSET', KEYS[1], 'credits', credits, 'start_number', exact(after))
redis.call('HINCRBY', KEYS[1], 'revision', 1)
emit(KEYS[3], 'job.moved', ARGV[1], was[2], '')
return {'ok', redis.call('ZRANK', KEYS[2], ARGV[1])}
