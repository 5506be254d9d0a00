-- Ends a job wherever it is.
-- ARGV id, arq in-progress key, arq job key, arq abort key, act, 'waiting' to leave one that does not wait as it is
local id = ARGV[1]
local was = redis.call('HMGET', KEY.JOB_PREFIX .. id, 'status', 'cancel')
if not was[1] then return {'unknown'} end
if ARGV[6] == 'waiting' and redis.call('ZSCORE', KEY.RUNNING, id) then return {'ended', was[1]} end
local became = stop_job(id, ARGV[2], ARGV[3], ARGV[4])
if became ~= 'ended' and not was[2] then note(ARGV[5]) end
return {became, was[1]}
