-- Changes what is on air; saying the same again only says that the stage manager lives.
-- KEYS stage, manager, events   ARGV state, clip_id or '', seconds or '', alive_s
redis.call('SET', KEYS[2], '1', 'EX', ARGV[4])
local was = redis.call('HMGET', KEYS[1], 'state', 'clip_id', 'revision')
if was[1] == ARGV[1] and was[2] == ARGV[2] and ARGV[3] == '' then return 0 end
local now = clock()
redis.call('HSET', KEYS[1], 'state', ARGV[1], 'clip_id', ARGV[2], 'since', exact(now),
  'until', ARGV[3] == '' and '' or exact(now + tonumber(ARGV[3])))
if ARGV[1] == 'result' then redis.call('HSET', KEYS[1], 'last_result', ARGV[2]) end
local revision = redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 20000, '*', 'type', 'stage.changed',
  'data', '{"state":"' .. ARGV[1] .. '","clip_id":' .. (ARGV[2] == '' and 'null' or '"' .. ARGV[2] .. '"')
    .. ',"revision":' .. revision .. '}')
return 1
