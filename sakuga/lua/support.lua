-- Takes in what a viewer gave, once for each id.
-- ARGV name, how long it is remembered in seconds, viewer or '', name to show, platform, kind, amount, bits,
--      what it adds to the budget's limits in millionths of a dollar      Returns the bits that it brought
local support = KEY.SUPPORT_PREFIX .. ARGV[1]
local brought = redis.call('GET', support)
if brought then return tonumber(brought) end
local viewer, bits, now = ARGV[3], tonumber(ARGV[8]), clock()
if (ARGV[6] == 'cheer' or ARGV[6] == 'refused') and bits_are_spent(ARGV[1]) then return 0 end  -- an answer was lost
redis.call('SET', support, ARGV[8], 'EX', ARGV[2])
into_purse(viewer, bits, ARGV[6] == 'refused' and 'refused request' or ARGV[6], now)
if tonumber(ARGV[9]) > 0 then
  refilled(tonumber(ARGV[9]), '', redis.call('HGET', KEY.STUDIO, 'session') or '', viewer, 'studio', 'bits', now)
end
tell('support.received', '{"kind":"' .. ARGV[6] .. '","platform":"' .. ARGV[5] .. '","name":' .. cjson.encode(ARGV[4])
  .. ',"amount":' .. ARGV[7] .. ',"bits":' .. ARGV[8] .. '}')
return bits
