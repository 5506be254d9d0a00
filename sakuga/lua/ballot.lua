-- Opens a ballot over waiting jobs, or closes the one that is open.
-- ARGV 'open', id, seconds, act, most, job id, ...    or    'close', win_s, act, now or '' to close it only when it is over
local function winner_of(ids)
  local votes, most, winner = {}, 0, nil
  for _, id in ipairs(redis.call('HVALS', KEY.BALLOT_VOTES)) do votes[id] = (votes[id] or 0) + 1 end
  for _, id in ipairs(ids) do
    if (votes[id] or 0) > most then most, winner = votes[id], id end
  end
  return winner, most
end
-- One that has won can't win again, or credits would have no bound.
local function may_win(id)
  if not redis.call('ZSCORE', KEY.WAITING, id) then return false end
  for _, credit in ipairs(cjson.decode(redis.call('HGET', KEY.JOB_PREFIX .. id, 'credits') or '[]')) do
    if credit.by == 'chat' and string.find(credit.reason, 'won a vote', 1, true) == 1 then return false end
  end
  return true
end
local now = clock()
local is = redis.call('HMGET', KEY.BALLOT, 'state', 'closes_at', 'jobs', 'id')
if ARGV[1] == 'open' then
  if is[1] == 'open' then return {'open', is[2]} end
  local jobs = {}
  for i = 6, #ARGV do
    if #jobs < tonumber(ARGV[5]) and may_win(ARGV[i]) then jobs[#jobs + 1] = ARGV[i] end
  end
  if #jobs < 2 then return {'few', #jobs} end
  redis.call('DEL', KEY.BALLOT_VOTES)
  redis.call('HSET', KEY.BALLOT, 'id', ARGV[2], 'state', 'open', 'jobs', cjson.encode(jobs), 'winner', '',
    'opened_at', exact(now), 'closes_at', exact(now + tonumber(ARGV[3])))
  tell('ballot.opened', '{"ballot_id":"' .. ARGV[2] .. '","job_ids":' .. cjson.encode(jobs) .. '}')
  note(ARGV[4])
  return {'ok', ARGV[2]}
end
if is[1] ~= 'open' or (ARGV[4] == '' and tonumber(is[2]) > now) then return {'none'} end
local winner, most = winner_of(cjson.decode(is[3]))
local seconds = tonumber(ARGV[2])
redis.call('HSET', KEY.BALLOT, 'state', 'closed', 'closes_at', exact(now))
local score = winner and redis.call('ZSCORE', KEY.WAITING, winner)
if score then
  local job, total = KEY.JOB_PREFIX .. winner, redis.call('HLEN', KEY.BALLOT_VOTES)
  local credit = credit_of('won a vote, ' .. most .. ' of ' .. total, seconds, 'chat', now)
  local credits = with_credit(redis.call('HGET', job, 'credits'), credit)
  local start = exact(tonumber(score) - seconds)
  redis.call('ZADD', KEY.WAITING, start, winner)
  redis.call('HSET', job, 'credits', credits, 'start_number', start)
  redis.call('HINCRBY', job, 'revision', 1)
  redis.call('HSET', KEY.BALLOT, 'winner', winner)
  emit('job.moved', winner, redis.call('HGET', job, 'number'), '')
end
tell('ballot.closed', '{"ballot_id":"' .. is[4] .. '","winner":' .. (score and '"' .. winner .. '"' or 'null') .. '}')
note(ARGV[3])
return {'ok', is[4]}
