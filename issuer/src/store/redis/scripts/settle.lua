-- KEYS: a record. Writes it as it is: whoever has this has what was before it.
local stored = redis.call('GET', KEYS[1])
if stored then redis.call('SET', KEYS[1], stored) end
return 1
