-- Begins or ends a stream session.   ARGV 'begin' or 'end', id, act   Returns the session's id, or '' if none is on
local now, was = clock(), redis.call('HMGET', KEY.STUDIO, 'session', 'live')
if ARGV[1] == 'begin' and was[2] ~= '1' then
  redis.call('HSET', KEY.STUDIO, 'session', ARGV[2], 'session_began', exact(now), 'live', '1', 'refill', '0')
  tell('session.began', '{"session_id":"' .. ARGV[2] .. '"}')
  note(ARGV[3])
elseif ARGV[1] == 'end' and was[2] == '1' then
  redis.call('HSET', KEY.STUDIO, 'session_ended', exact(now), 'live', '0')
  tell('session.ended', '{"session_id":"' .. was[1] .. '"}')
  note(ARGV[3])
end
return redis.call('HMGET', KEY.STUDIO, 'session', 'live', 'session_began', 'session_ended')
