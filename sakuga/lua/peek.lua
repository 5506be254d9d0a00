-- What changes about a job from poll to poll: its revision and its place.   KEYS job, waiting   ARGV id
local revision = redis.call('HGET', KEYS[1], 'revision')
return revision and {revision, redis.call('ZRANK', KEYS[2], ARGV[1])}
