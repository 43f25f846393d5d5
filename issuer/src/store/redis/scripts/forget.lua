-- KEYS: record, its bucket. ARGV: expected version, subject.
-- Returns 1, or 0 if there is no record of this version.
local stored = redis.call('GET', KEYS[1])
if not stored or version_here(stored) ~= ARGV[1] then return 0 end
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[1])
return 1
