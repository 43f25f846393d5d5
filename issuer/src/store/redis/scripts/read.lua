-- KEYS: a record or the key ring. Answers { version, payload }, or nothing.
local stored = redis.call('GET', KEYS[1])
if not stored then return {} end
return { version_here(stored), string.sub(stored, 17) }
