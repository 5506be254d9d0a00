-- The pot that several viewers fill: one is open at a time, and its lines are kept until it is poured.
-- ARGV 'join', id for a new pot, viewer, line as JSON, characters, room (characters), most, seconds, key or '', key_s
--      Returns {'joined', 'opened', 'again', 'due', 'banned' or 'retracted'}
-- ARGV 'close', least, seconds     Returns {id of the pot that is to be poured, or ''}
-- ARGV 'poured', id, job_id or '', code or '', viewer, ...
--      Returns {'ok'} once for each pot; {'left'} if a viewer whose words are in the job is no longer in the pot
-- ARGV 'leave', name, ...          Returns {how many lines were taken out}: of a viewer by id or login, or of a message
local HOUR_S, now = 3600, clock()
local is = redis.call('HMGET', KEY.POT, 'id', 'state', 'closes_at', 'again', 'chars')

local function of(line) return cjson.decode(redis.call('HGET', KEY.POT_LINES, line)) end

if ARGV[1] == 'join' then
  local viewer, line, chars, room = ARGV[3], cjson.decode(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
  local most, seconds, request = tonumber(ARGV[7]), tonumber(ARGV[8]), KEY.REQUEST_PREFIX .. ARGV[9]
  for _, name in ipairs(line.called) do
    if banned(name, now) then return {'banned'} end
  end
  local deleted = line.message ~= '' and redis.call('SISMEMBER', KEY.MESSAGE_PREFIX .. line.message, '') == 1
  if deleted then return {'retracted'} end
  if ARGV[9] ~= '' and redis.call('EXISTS', request) == 1 then return {'again'} end
  if is[2] == 'pouring' or (is[2] == 'open' and tonumber(is[3]) <= now) then return {'due'} end
  local opened, place = is[2] ~= 'open', 1
  if not opened then
    local before = redis.call('HEXISTS', KEY.POT_LINES, viewer) == 1 and of(viewer)
    local after = tonumber(is[5]) + chars - (before and before.chars or 0)
    if after > room or (not before and redis.call('HLEN', KEY.POT_LINES) >= most) then  -- no room: this one is poured first
      redis.call('HSET', KEY.POT, 'closes_at', exact(now), 'again', '1')
      return {'due'}
    end
    place = before and before.place or redis.call('HINCRBY', KEY.POT, 'places', 1)
    redis.call('HSET', KEY.POT, 'chars', after)
  else
    redis.call('DEL', KEY.POT, KEY.POT_LINES)
    redis.call('HSET', KEY.POT, 'id', ARGV[2], 'state', 'open', 'opened_at', exact(now), 'places', 1, 'chars', chars,
      'closes_at', exact(now + seconds))
  end
  redis.call('HSET', KEY.POT_LINES, viewer,
    string.sub(ARGV[4], 1, -2) .. ',"chars":' .. chars .. ',"place":' .. place .. '}')
  local lines, id = redis.call('HLEN', KEY.POT_LINES), opened and ARGV[2] or is[1]
  if lines >= most then redis.call('HSET', KEY.POT, 'closes_at', exact(now), 'again', '1') end
  for _, key in ipairs({KEY.POT, KEY.POT_LINES}) do redis.call('EXPIRE', key, 2 * math.ceil(seconds) + HOUR_S) end
  if ARGV[9] ~= '' then redis.call('SET', request, id, 'EX', ARGV[10]) end
  tell(opened and 'pot.opened' or 'pot.joined', '{"pot_id":"' .. id .. '","lines":' .. lines .. '}')
  return {opened and 'opened' or 'joined'}
end

if ARGV[1] == 'close' then
  if is[2] == 'pouring' then return {is[1]} end
  if is[2] ~= 'open' or tonumber(is[3]) > now then return {''} end
  if not is[4] and redis.call('HLEN', KEY.POT_LINES) < tonumber(ARGV[2]) then  -- once more, for others to come
    redis.call('HSET', KEY.POT, 'again', '1', 'closes_at', exact(now + tonumber(ARGV[3])))
    return {''}
  end
  redis.call('HSET', KEY.POT, 'state', 'pouring')  -- nobody joins any more
  return {is[1]}
end

if ARGV[1] == 'poured' then
  if is[1] ~= ARGV[2] or is[2] ~= 'pouring' then return {'over'} end
  for i = 5, #ARGV do
    if redis.call('HEXISTS', KEY.POT_LINES, ARGV[i]) == 0 then return {'left'} end
  end
  redis.call('HSET', KEY.POT, 'state', ARGV[3] ~= '' and 'poured' or 'spilled', 'job_id', ARGV[3], 'reason', ARGV[4])
  redis.call('DEL', KEY.POT_LINES)
  redis.call('EXPIRE', KEY.POT, HOUR_S)
  local job_id = ARGV[3] ~= '' and '"' .. ARGV[3] .. '"' or 'null'
  redis.call('LPUSH', KEY.POTS_POURED, '{"pot_id":"' .. is[1] .. '","job_id":' .. job_id .. ',"reason":'
    .. (ARGV[4] ~= '' and '"' .. ARGV[4] .. '"' or 'null') .. '}')
  redis.call('LTRIM', KEY.POTS_POURED, 0, 9)
  redis.call('EXPIRE', KEY.POTS_POURED, HOUR_S)
  tell('pot.poured', '{"pot_id":"' .. is[1] .. '","job_id":' .. job_id .. '}')
  return {'ok'}
end

return {leave_pot(function(names)
  for i = 2, #ARGV do
    if names[ARGV[i]] then return true end
  end
  return false
end)}
