-- Takes a clip out of the gallery and off the stage.   ARGV clip_id, act   Returns whether it was there
if redis.call('ZREM', KEY.CLIPS, ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEY.CLIP_DOCUMENTS, ARGV[1])
if redis.call('HGET', KEY.STAGE, 'clip_id') == ARGV[1] then set_stage('idle', '', '') end
tell('clip.removed', '{"clip_id":"' .. ARGV[1] .. '"}')
note(ARGV[2])
return 1
