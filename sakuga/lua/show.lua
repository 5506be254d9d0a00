-- Changes what is on air; saying the same again only says that the stage manager lives. A stage that was dumped stays
-- dark until somebody releases it.   ARGV state, clip_id or '', seconds or '', alive_s
redis.call('SET', KEY.STAGE_MANAGER, '1', 'EX', ARGV[4])
local was = redis.call('HMGET', KEY.STAGE, 'state', 'clip_id', 'revision')
if was[1] == 'dumped' or (was[1] == ARGV[1] and was[2] == ARGV[2] and ARGV[3] == '') then return 0 end
set_stage(ARGV[1], ARGV[2], ARGV[3])
return 1
