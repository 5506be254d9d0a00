-- Puts an event's messages into the outboxes of webhooks, once: whoever still has the event in hand does it.
-- KEYS events   ARGV group, entry or '', webhook_prefix, due_prefix, messages_prefix, dead_prefix, limit, kept,
--               webhook_id, message_id, message, ...
if ARGV[2] ~= '' and redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
local now, posted = clock(), 0
for i = 9, #ARGV, 3 do
  local hook, id = ARGV[i], ARGV[i + 1]
  if redis.call('HGET', ARGV[3] .. hook, 'disabled_at') == '' then
    local due, messages, dead = ARGV[4] .. hook, ARGV[5] .. hook, ARGV[6] .. hook
    redis.call('HSET', messages, id, ARGV[i + 2])
    redis.call('ZADD', due, exact(now), id)
    posted = posted + 1
    -- Too many wait: the one that waits for longest to be tried again is given up.
    if redis.call('ZCARD', due) > tonumber(ARGV[7]) then
      redis.call('ZADD', dead, exact(now), redis.call('ZPOPMAX', due)[1])
      while redis.call('ZCARD', dead) > tonumber(ARGV[8]) do
        redis.call('HDEL', messages, redis.call('ZPOPMIN', dead)[1])
      end
    end
  end
end
return posted
