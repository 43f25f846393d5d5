-- KEYS: the current counters, the previous counters. ARGV: the names.
-- Returns { time, values }. A value is '' if there is no such counter.
local values = redis.call('HMGET', KEYS[1], unpack(ARGV))
local former = redis.call('HMGET', KEYS[2], unpack(ARGV))
for at = 1, #ARGV do values[at] = values[at] or former[at] or '' end
return { host_micros(), values }
