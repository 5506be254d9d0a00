-- Put before every script: the broker's clock, exact numbers, and the event log.
local function clock()
  local t = redis.call('TIME')
  return tonumber(t[1]) + tonumber(t[2]) / 1000000
end
local function exact(seconds) return string.format('%.6f', seconds) end
local function emit(events, kind, job_id, number, extra)
  redis.call('XADD', events, 'MAXLEN', '~', 20000, '*', 'type', kind,
    'data', '{"job_id":"' .. job_id .. '","number":' .. number .. extra .. '}')
end
