-- Keeps a viewer out, or lets them in again.
-- ARGV viewer, by id or by login; ban as JSON or '' to lift it; act; a ban that has run out, to forget that one only;
--      'longest' to leave a ban as it is that lasts longer
-- Returns whether that changed anything, and the viewer's jobs that have not ended
local was = redis.call('HGET', KEY.BANS, ARGV[1])
local theirs = {}
local function lasts(ban)
  local until_at = cjson.decode(ban)['until']
  return type(until_at) == 'number' and until_at or math.huge
end
if ARGV[4] and ARGV[4] ~= '' then
  if was == ARGV[4] then redis.call('HDEL', KEY.BANS, ARGV[1]) end
  return {0, theirs}
end
if ARGV[2] == '' then
  if not was then return {0, theirs} end
  redis.call('HDEL', KEY.BANS, ARGV[1])
  tell('ban.removed', '{"viewer":' .. cjson.encode(ARGV[1]) .. '}')
else
  if was and ARGV[5] == 'longest' and lasts(was) >= lasts(ARGV[2]) then return {0, theirs} end
  redis.call('HSET', KEY.BANS, ARGV[1], ARGV[2])
  leave_pot(function(names) return names[ARGV[1]] end)
  if not was then tell('ban.added', '{"viewer":' .. cjson.encode(ARGV[1]) .. '}') end
  for _, set in ipairs({KEY.WAITING, KEY.HELD, KEY.RUNNING}) do
    for _, id in ipairs(redis.call('ZRANGE', set, 0, -1)) do
      local of = redis.call('HMGET', KEY.JOB_PREFIX .. id, 'viewer', 'requested_by', 'crowd')
      local _, names = asked_by(of[2], of[3])
      if of[1] == ARGV[1] or names[ARGV[1]] then theirs[#theirs + 1] = id end
    end
  end
end
if was ~= ARGV[2] then note(ARGV[3]) end
return {1, theirs}
