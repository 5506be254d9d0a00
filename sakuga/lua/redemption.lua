-- Changes a redemption that no job changes: it is owed to a viewer whose request was refused, or the platform was told.
-- ARGV 'refund', name, platform, redemption_id, reward_id, viewer, viewer's name, cost, reason
--   or 'settle', name, outcome      Returns its fields, none if it is not known
local what, name = ARGV[1], ARGV[2]
local redemption, now = KEY.REDEMPTION_PREFIX .. name, clock()
local state = redis.call('HGET', redemption, 'state')
if what == 'refund' and not state then
  redis.call('HSET', redemption, 'platform', ARGV[3], 'redemption_id', ARGV[4], 'reward_id', ARGV[5], 'viewer', ARGV[6],
    'name', ARGV[7], 'cost', ARGV[8], 'job_id', '')
  redeem(name, 'due', 'refunded', ARGV[9], now)
elseif what == 'settle' and state and state ~= 'settled' then
  redeem(name, 'settled', ARGV[3], redis.call('HGET', redemption, 'reason') or '', now)
  redis.call('EXPIRE', redemption, KEPT_S)
  redis.call('ZREMRANGEBYSCORE', KEY.REDEMPTIONS_PREFIX .. 'settled', '-inf', exact(now - KEPT_S))
end
return redis.call('HGETALL', redemption)
