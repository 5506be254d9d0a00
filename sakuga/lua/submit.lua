-- One atomic step from request to waiting job.
-- KEYS job, waiting, events, studio, request   ARGV id, credit_s, limit, fingerprint, request_ttl_s, wake, field, value, ...
local seen = redis.call('HMGET', KEYS[5], 'job_id', 'fingerprint')
if seen[1] then return {seen[2] == ARGV[4] and 'again' or 'reused', seen[1]} end
local waiting = redis.call('ZCARD', KEYS[2])
if waiting >= tonumber(ARGV[3]) then return {'full', waiting} end
local now = clock()
local start = exact(now - tonumber(ARGV[2]))
local number = redis.call('HINCRBY', KEYS[4], 'number', 1)
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'number', number, 'status', 'queued', 'revision', 1, 'attempt', 0,
  'requested_at', exact(now), 'start_number', start, unpack(ARGV, 7))
redis.call('ZADD', KEYS[2], start, ARGV[1])
redis.call('HSET', KEYS[5], 'job_id', ARGV[1], 'fingerprint', ARGV[4])
redis.call('EXPIRE', KEYS[5], ARGV[5])
emit(KEYS[3], 'job.queued', ARGV[1], number, '')
redis.call('PUBLISH', ARGV[6], ARGV[1])
return {'queued', ARGV[1]}
