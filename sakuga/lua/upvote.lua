-- Counts a viewer's vote for a waiting job, once: all votes together are one credit.   ARGV id, viewer, seconds, cap
local id, job = ARGV[1], KEY.JOB_PREFIX .. ARGV[1]
local was = redis.call('HMGET', job, 'status', 'number', 'credits')
if not was[1] then return {'unknown'} end
local score = redis.call('ZSCORE', KEY.WAITING, id)
if not score then return {'conflict', was[1]} end
if banned(ARGV[2], clock()) then return {'banned'} end
local voters = KEY.UPVOTES_PREFIX .. id
if redis.call('SADD', voters, ARGV[2]) == 0 then return {'ok', redis.call('SCARD', voters)} end
redis.call('EXPIRE', voters, KEPT_S)
-- What earlier votes earned stands in the job: it may have come from the one that it is tried again for, or at
-- another price.
local count, before, kept = redis.call('SCARD', voters), 0, {}
for _, credit in ipairs(cjson.decode(was[3])) do
  if credit.by == 'votes' then
    before = before + credit.seconds
    count = math.max(count, (tonumber(string.match(credit.reason, '^%d+')) or 0) + 1)
  else
    kept[#kept + 1] = cjson.encode(credit)
  end
end
local after = math.max(before, math.min(before + tonumber(ARGV[3]), tonumber(ARGV[4])))
kept[#kept + 1] = credit_of(count .. (count == 1 and ' vote' or ' votes'), after, 'votes', clock())
local start = exact(tonumber(score) - (after - before))
redis.call('ZADD', KEY.WAITING, start, id)
redis.call('HSET', job, 'credits', '[' .. table.concat(kept, ',') .. ']', 'start_number', start)
redis.call('HINCRBY', job, 'revision', 1)
tell('vote.cast', '{"job_id":"' .. id .. '","number":' .. was[2] .. ',"votes":' .. count .. '}')
if after > before then emit('job.moved', id, was[2], '') end
return {'ok', count}
