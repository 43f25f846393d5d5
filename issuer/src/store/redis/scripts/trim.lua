-- KEYS: head, log. ARGV: time, the last sequence number to drop.
local head = open_head(KEYS[1])
local through = tonumber(ARGV[2])
redis.call('XTRIM', KEYS[2], 'MINID', text(through + 1) .. '-0')
redis.call('HSET', head.key, 'trimmed', text(math.max(head.trimmed, math.min(through, head.last))))
return 1
