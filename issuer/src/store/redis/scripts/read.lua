-- KEYS: a record, the key ring or the installation. Returns { version, payload }, or {} if the key is missing.
local stored = redis.call('GET', KEYS[1])
if not stored then return {} end
return { version_here(stored), string.sub(stored, 17) }
