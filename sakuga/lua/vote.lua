-- Counts a vote: one for each viewer and ballot, changed by voting again.   ARGV viewer, job id or number on the ballot
local is = redis.call('HMGET', KEY.BALLOT, 'state', 'closes_at', 'jobs', 'id')
if is[1] ~= 'open' or tonumber(is[2]) <= clock() then return {'none'} end
if banned(ARGV[1], clock()) then return {'banned'} end
local jobs = cjson.decode(is[3])
local choice = jobs[tonumber(ARGV[2]) or 0]
for _, id in ipairs(jobs) do
  if id == ARGV[2] then choice = id end
end
if not choice then return {'unknown', #jobs} end
if redis.call('HGET', KEY.BALLOT_VOTES, ARGV[1]) ~= choice then
  redis.call('HSET', KEY.BALLOT_VOTES, ARGV[1], choice)
  tell('vote.cast', '{"ballot_id":"' .. is[4] .. '","job_id":"' .. choice .. '"}')
end
return {'ok', choice}
