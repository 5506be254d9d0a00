-- Says in which style and with whom cuts are drawn that name none, until the session ends.
-- ARGV act, field, value or '' to take it back, ...   Returns 1 if that changed anything
local changed, was = false, {}
for i = 2, #ARGV, 2 do
  local before = redis.call('HGET', KEY.STUDIO, ARGV[i]) or ''
  was[#was + 1] = cjson.encode(ARGV[i]) .. ':' .. cjson.encode(before)
  if before ~= ARGV[i + 1] then
    changed = true
    redis.call('HDEL', KEY.STUDIO, ARGV[i])
    if ARGV[i + 1] ~= '' then redis.call('HSET', KEY.STUDIO, ARGV[i], ARGV[i + 1]) end
  end
end
if not changed then return 0 end
local is = redis.call('HMGET', KEY.STUDIO, 'show_style', 'show_characters')
tell('show.changed', '{"style":' .. (is[1] and cjson.encode(is[1]) or 'null') .. ',"characters":' .. (is[2] or 'null') .. '}')
note((string.gsub(ARGV[1], '"was":null', function() return '"was":{' .. table.concat(was, ',') .. '}' end)))
return 1
