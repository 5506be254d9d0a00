-- Takes what stands in the slots and nobody holds, the first first: one step from the look to the lease, so that of two
-- workers one has a job. A name that still stands in a job is that of a worker which lost its lease: one that ended its
-- task, well or badly, took its name away.
-- KEYS slots, arq abort   ARGV lease prefix, holder, lease_ms, how many, look at, id that runs here, ...
local here, picked = {}, {}
for i = 6, #ARGV do here[ARGV[i]] = true end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', math.floor(clock() * 1000), 'LIMIT', 0, ARGV[5])) do
  if #picked >= tonumber(ARGV[4]) then break end
  local lease = ARGV[1] .. id
  local holder = not here[id] and redis.call('GET', lease)
  -- Our own name without a task: the answer to an earlier look was lost on its way.
  if not here[id] and (not holder or holder == ARGV[2]) then
    redis.call('SET', lease, ARGV[2], 'PX', ARGV[3])
    -- Told to stop before anybody had it: our task reads that in the job and stops its render, which may go on. arq would
    -- end the job without calling us, and its slot would be given away beside the render.
    redis.call('ZREM', KEYS[2], id)
    local job = KEY.JOB_PREFIX .. id
    if redis.call('EXISTS', job) == 1 then
      if redis.call('HEXISTS', job, 'holder') == 1 then count('leases_lost', 1) end
      redis.call('HSET', job, 'holder', ARGV[2])
    end
    picked[#picked + 1] = id
  end
end
return picked
