-- Takes messages that are due and puts them off by a lease: when their taker dies, they are due again.
-- KEYS webhook, due, messages   ARGV limit, lease_s
if redis.call('HGET', KEYS[1], 'disabled_at') ~= '' then return {} end
local now, taken = clock(), {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', exact(now), 'LIMIT', 0, ARGV[1])) do
  local message = redis.call('HGET', KEYS[3], id)
  if message then
    local lease = exact(now + tonumber(ARGV[2]))
    redis.call('ZADD', KEYS[2], lease, id)
    taken[#taken + 1] = {id, message, lease}
  else
    redis.call('ZREM', KEYS[2], id)
  end
end
return taken
