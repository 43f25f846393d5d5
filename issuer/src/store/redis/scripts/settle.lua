-- KEYS: a record. ARGV: expected version or ''. Writes the record unchanged: a replica that has this write also has
-- every write before it. Returns 1, or 0 if the record has another version.
local stored = redis.call('GET', KEYS[1])
if (stored and version_here(stored) or '') ~= ARGV[1] then return 0 end
if stored then redis.call('SET', KEYS[1], stored) end
return 1
