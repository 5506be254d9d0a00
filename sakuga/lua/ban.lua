-- Keeps a viewer out, or lets them in again.
-- ARGV viewer, by id or by login; ban as JSON or '' to lift it; act; a ban that has run out, to forget that one only
-- Returns whether that changed anything, and the viewer's jobs that have not ended
local function by_login(asked)
  local who = asked and cjson.decode(asked) or {}
  local login = type(who.login) == 'string' and string.lower(who.login) or ''
  return login ~= '' and not string.find(login, '^%d+$') and (who.platform or '') .. ':' .. login
end
local was = redis.call('HGET', KEY.BANS, ARGV[1])
local theirs = {}
if ARGV[4] then
  if was == ARGV[4] then redis.call('HDEL', KEY.BANS, ARGV[1]) end
  return {0, theirs}
end
if ARGV[2] == '' then
  if not was then return {0, theirs} end
  redis.call('HDEL', KEY.BANS, ARGV[1])
  tell('ban.removed', '{"viewer":' .. cjson.encode(ARGV[1]) .. '}')
else
  redis.call('HSET', KEY.BANS, ARGV[1], ARGV[2])
  if not was then tell('ban.added', '{"viewer":' .. cjson.encode(ARGV[1]) .. '}') end
  for _, set in ipairs({KEY.WAITING, KEY.HELD, KEY.RUNNING}) do
    for _, id in ipairs(redis.call('ZRANGE', set, 0, -1)) do
      local of = redis.call('HMGET', KEY.JOB_PREFIX .. id, 'viewer', 'requested_by')
      if of[1] == ARGV[1] or by_login(of[2]) == ARGV[1] then theirs[#theirs + 1] = id end
    end
  end
end
if was ~= ARGV[2] then note(ARGV[3]) end
return {1, theirs}
