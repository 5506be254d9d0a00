-- Takes back what was asked for in a chat, in one step: jobs end wherever they are, clips leave gallery and stage,
-- lines leave the pot, and from then on nobody but moderators reads the words.
-- ARGV 'message', 'viewer' or 'chat'; platform; message or viewer; seconds that a stream without a beginning is taken
--      to be old; why; act; arq in-progress prefix, arq job prefix, arq abort key; seconds that a message is
--      remembered of which nothing is known
-- Returns the jobs that it ended or stops, and the clips that it took out
local kind, platform, whose, why = ARGV[1], ARGV[2], ARGV[3], ARGV[5]
local cancelled, removed, taken = {}, {}, {}

-- What the ids of a job and of its clip have in common.
local function stem(id) return (string.gsub(id, '^%a+_', '')) end

local function take_clip(clip_id)
  taken[stem(clip_id)] = true
  if take_out(clip_id) then removed[#removed + 1] = clip_id end
end

local function take_back(id)
  local job = KEY.JOB_PREFIX .. id
  local was = redis.call('HMGET', job, 'status', 'cancel', 'clip_id', 'held_for', 'retried_as')
  if not was[1] then return end
  taken[stem(id)] = true
  local became = stop_job(id, ARGV[7] .. id, ARGV[8] .. id, ARGV[9])
  if became ~= 'ended' and not was[2] then cancelled[#cancelled + 1] = id end
  if was[3] and was[3] ~= '' then take_clip(was[3]) end
  if was[4] ~= why then
    redis.call('HSET', job, 'held_for', why)
    redis.call('HINCRBY', job, 'revision', 1)
  end
  if was[5] and was[5] ~= '' then take_back(was[5]) end
end

-- Whether this retraction is about what they asked for.
local function meant(json, crowd)
  local who, names = asked_by(json, crowd)
  if kind == 'viewer' then return names[whose] end
  if who.platform == platform then return true end
  for name in pairs(names) do
    if string.sub(name, 1, #platform + 1) == platform .. ':' then return true end
  end
  return false
end

local function take_jobs(are_meant)
  for _, set in ipairs({KEY.WAITING, KEY.HELD, KEY.RUNNING}) do
    for _, id in ipairs(redis.call('ZRANGE', set, 0, -1)) do
      if are_meant(id) then take_back(id) end
    end
  end
end

-- Calls with each clip since then whose document holds a text, in small letters. 6000 clips take 0.03 s, and to decode
-- them all 0.1 s.
local function each_clip(since, text, does)
  local ids = redis.call('ZRANGEBYSCORE', KEY.CLIPS, since, '+inf')
  for first = 1, #ids, 500 do
    local some = {unpack(ids, first, math.min(first + 499, #ids))}
    for place, document in ipairs(redis.call('HMGET', KEY.CLIP_DOCUMENTS, unpack(some))) do
      if document and string.find(string.lower(document), text, 1, true) then
        local fine, clip = pcall(cjson.decode, document)
        if fine and type(clip) == 'table' then does(some[place], clip) end
      end
    end
  end
end

local function take_if_meant(clip_id, clip)
  if type(clip.requested_by) ~= 'table' or not meant(cjson.encode(clip.requested_by)) then return end
  if type(clip.job_id) == 'string' then take_back(clip.job_id) end
  take_clip(clip_id)
end

-- Words that were deleted live on in what was made of them: remixes go as well, and remixes of those.
local function take_remixes()
  local function of_taken(parent)  -- or of a remix of it that is gone already
    for _ = 1, 100 do
      if type(parent) ~= 'string' or parent == '' then return false end
      if taken[stem(parent)] then return true end
      parent = redis.call('HGET', KEY.JOB_PREFIX .. 'job_' .. stem(parent), 'parent')
    end
  end
  local remixes = {}
  each_clip(exact(clock() - KEPT_S), '"parent":"', function(clip_id, clip) remixes[clip_id] = clip.parent end)
  repeat
    local before = #cancelled + #removed
    take_jobs(function(id)
      return not taken[stem(id)] and of_taken(redis.call('HGET', KEY.JOB_PREFIX .. id, 'parent'))
    end)
    for clip_id, parent in pairs(remixes) do
      if of_taken(parent) then
        take_back('job_' .. stem(clip_id))
        take_clip(clip_id)
      end
    end
  until #cancelled + #removed == before
end

if kind == 'message' then
  local message = platform .. ':' .. whose
  local ids = redis.call('SMEMBERS', KEY.MESSAGE_PREFIX .. message)
  leave_pot(function(names) return names[message] end)
  redis.call('SADD', KEY.MESSAGE_PREFIX .. message, '')  -- what is asked for with it from now on comes too late
  if #ids == 0 then redis.call('EXPIRE', KEY.MESSAGE_PREFIX .. message, ARGV[10]) end
  for _, id in ipairs(ids) do
    if id ~= '' then take_back(id) end
  end
  if next(taken) then take_remixes() end
else
  leave_pot(function(names, line) return names[whose] or (kind == 'chat' and line.platform == platform) end)
  take_jobs(function(id) return meant(unpack(redis.call('HMGET', KEY.JOB_PREFIX .. id, 'requested_by', 'crowd'))) end)
end
if kind == 'chat' then
  local on_air = redis.call('HGET', KEY.STAGE, 'clip_id') or ''
  local fine, clip = pcall(cjson.decode, redis.call('HGET', KEY.CLIP_DOCUMENTS, on_air) or '')
  if fine and type(clip) == 'table' then take_if_meant(on_air, clip) end
elseif kind == 'viewer' then
  local studio = redis.call('HMGET', KEY.STUDIO, 'live', 'session_began')
  local since = studio[1] == '1' and studio[2] or exact(clock() - tonumber(ARGV[4]))
  for _, id in ipairs(jobs_of(whose, since)) do take_back(id) end
  each_clip(since, string.lower(string.sub(whose, #platform + 2)), take_if_meant)
end
if #cancelled + #removed > 0 then
  local act = cjson.decode(ARGV[6])
  if #cancelled > 0 then act.detail.cancelled = cancelled end  -- an empty list would be written as {}
  if #removed > 0 then act.detail.removed = removed end
  note(cjson.encode(act))
end
return {cancelled, removed}
