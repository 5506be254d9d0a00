-- What changes about a job from poll to poll: its revision and its place.   ARGV id
local revision = redis.call('HGET', KEY.JOB_PREFIX .. ARGV[1], 'revision')
return revision and {revision, redis.call('ZRANK', KEY.WAITING, ARGV[1])}
