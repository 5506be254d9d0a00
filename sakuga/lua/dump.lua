-- Blacks out the stage, or gives it back to its manager.   ARGV 'dump' or 'release', act   Returns the clip that was on
local was = redis.call('HMGET', KEY.STAGE, 'state', 'clip_id')
if (was[1] == 'dumped') == (ARGV[1] == 'dump') then return '' end
set_stage(ARGV[1] == 'dump' and 'dumped' or 'idle', '', '')
note(ARGV[2])
return was[2] or ''
