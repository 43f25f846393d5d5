-- KEYS: record, its bucket. ARGV: expected version or '', new version, record, subject.
-- Returns 1, or 0 if the stored record has another version.
local stored = redis.call('GET', KEYS[1])
if (stored and version_here(stored) or '') ~= ARGV[1] then return 0 end
redis.call('ZADD', KEYS[2], 0, ARGV[4])
redis.call('SET', KEYS[1], ARGV[2] .. ARGV[3])
return 1
