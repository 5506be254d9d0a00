-- Begins or ends a stream session.   ARGV 'begin' or 'end', id, act, 'cancel' to end what waits or is held as well
-- Returns the session's id, or '' if there was none; whether it is on; when it began and ended; how many jobs that ended
local now, cancelled, was = clock(), 0, redis.call('HMGET', KEY.STUDIO, 'session', 'live')
if ARGV[1] == 'begin' and was[2] ~= '1' then
  redis.call('HSET', KEY.STUDIO, 'session', ARGV[2], 'session_began', exact(now), 'live', '1', 'refill', '0')
  if redis.call('ZCARD', KEY.WAITING) + redis.call('ZCARD', KEY.HELD) + redis.call('ZCARD', KEY.RUNNING) == 0 then
    redis.call('HSET', KEY.STUDIO, 'number', 0)  -- else two that are still to come could have the same one
  end
  tell('session.began', '{"session_id":"' .. ARGV[2] .. '"}')
  note(ARGV[3])
elseif ARGV[1] == 'end' then
  if ARGV[4] == 'cancel' then
    leave_pot(function() return true end)
    for _, set in ipairs({KEY.WAITING, KEY.HELD}) do
      for _, id in ipairs(redis.call('ZRANGE', set, 0, -1)) do
        local number = redis.call('HGET', KEY.JOB_PREFIX .. id, 'number')
        if number then
          finish(id, 'cancelled', now)
          emit('job.cancelled', id, number, '')
          cancelled = cancelled + 1
        end
      end
    end
  end
  if was[2] == '1' then
    redis.call('HSET', KEY.STUDIO, 'session_ended', exact(now), 'live', '0')
    if redis.call('HDEL', KEY.STUDIO, 'show_style', 'show_characters') > 0 then
      tell('show.changed', '{"style":null,"characters":null}')
    end
    tell('session.ended', '{"session_id":"' .. was[1] .. '","cancelled":' .. cancelled .. '}')
  end
  if was[2] == '1' or cancelled > 0 then
    local act = cjson.decode(ARGV[3])
    act.detail.cancelled = cancelled
    note(cjson.encode(act))
  end
  if cancelled > 0 then redis.call('PUBLISH', KEY.WAKE, '') end
end
local is = redis.call('HMGET', KEY.STUDIO, 'session', 'live', 'session_began', 'session_ended')
return {is[1], is[2], is[3], is[4], cancelled}
