-- Renews the lease of a worker on a job that it runs, or takes it again if it ran out and nobody else has it.
-- '1' is what arq writes before anybody has put a name on it.
-- KEYS lease   ARGV holder, lease_ms
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= '1' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
