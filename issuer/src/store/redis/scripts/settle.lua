-- KEYS: a record. ARGV: expected version or ''. Writes it as it is: whoever has this has what was before it. Answers 1,
-- or 0: another one.
local stored = redis.call('GET', KEYS[1])
if (stored and version_here(stored) or '') ~= ARGV[1] then return 0 end
if stored then redis.call('SET', KEYS[1], stored) end
return 1
