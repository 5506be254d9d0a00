-- Writes down how an attempt ended, if the message is still held by the lease that it was taken with.
-- KEYS webhook, due, messages, delivered, dead
-- ARGV id, lease, message, verdict (delivered, later, dead), pause_s, delivered_kept, dead_kept, webhook_id,
--      patience_s, gone reason or ''
local function trim(ended, kept)
  while redis.call('ZCARD', ended) > tonumber(kept) do
    redis.call('HDEL', KEYS[3], redis.call('ZPOPMIN', ended)[1])
  end
end
local lease = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not lease or tonumber(lease) ~= tonumber(ARGV[2]) then return 'lost' end
if redis.call('EXISTS', KEYS[1]) == 0 then return 'lost' end
local now = clock()
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
if ARGV[4] == 'later' then
  redis.call('ZADD', KEYS[2], exact(now + tonumber(ARGV[5])), ARGV[1])
else
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZADD', ARGV[4] == 'delivered' and KEYS[4] or KEYS[5], exact(now), ARGV[1])
  trim(KEYS[4], ARGV[6])
  trim(KEYS[5], ARGV[7])
end
if ARGV[4] == 'delivered' then
  redis.call('HSET', KEYS[1], 'failing_since', '')
  return 'delivered'
end
local state = redis.call('HMGET', KEYS[1], 'failing_since', 'disabled_at')
if state[1] == '' then redis.call('HSET', KEYS[1], 'failing_since', exact(now)) end
local reason = ARGV[10]
if reason == '' and state[1] ~= '' and now - tonumber(state[1]) > tonumber(ARGV[9]) then reason = 'failing' end
if reason == '' or state[2] ~= '' then return ARGV[4] end
redis.call('HSET', KEYS[1], 'disabled_at', exact(now), 'disabled_for', reason)
tell('webhook.disabled', '{"webhook_id":"' .. ARGV[8] .. '","reason":"' .. reason .. '"}')
return 'disabled'
