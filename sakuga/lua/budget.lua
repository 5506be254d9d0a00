-- What was spent and what is left of the limits; with `watch` a level that was crossed is told once.
-- ARGV session_budget, day_budget, soft, 'watch' or ''
local now = clock()
local studio = redis.call('HMGET', KEY.STUDIO, 'session', 'live', 'refill', 'budget_level')
local session, day, owed = studio[1] or '', math.floor(now / 86400), promised(now)
local function amount(key) return tonumber(redis.call('GET', key) or '0') end
local pots = {
  {amount(KEY.SPENT_PREFIX .. 'session:' .. session), tonumber(studio[3] or '0'), tonumber(ARGV[1])},
  {amount(KEY.SPENT_PREFIX .. 'day:' .. day), amount(KEY.REFILLED_PREFIX .. day), tonumber(ARGV[2])},
}
local level = 'open'
for _, pot in ipairs(pots) do
  local after, most = pot[1] + owed, pot[3] + pot[2]
  if pot[3] > 0 and after >= most then
    level = 'hard'
  elseif pot[3] > 0 and after >= most * tonumber(ARGV[3]) and level == 'open' then
    level = 'soft'
  end
end
if ARGV[4] == 'watch' and level ~= (studio[4] or 'open') then
  redis.call('HSET', KEY.STUDIO, 'budget_level', level)
  tell('budget.changed', '{"level":"' .. level .. '","before":"' .. (studio[4] or 'open') .. '"}')
end
return {level, session, studio[2] == '1' and 1 or 0, exact(now), owed, amount(KEY.SPENT_PREFIX .. 'total'),
  pots[1][1], pots[1][2], pots[2][1], pots[2][2]}
