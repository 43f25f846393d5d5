-- KEYS: record, its bucket. ARGV: expected version, subject. Answers 1, or 0: another one.
local stored = redis.call('GET', KEYS[1])
if not stored or version_here(stored) ~= ARGV[1] then return 0 end
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[1])
return 1
