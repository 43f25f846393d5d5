-- KEYS: head, log. ARGV: time, a sequence number, the largest number of entries.
-- Returns { 1 or 0, state, entries after that number }. 1 means that the revocation log has that number or trimmed it.
local head = open_head(KEYS[1])
local since = tonumber(ARGV[2])
local continues = since == head.last or since < head.last
  and (since <= head.trimmed or #redis.call('XRANGE', KEYS[2], ARGV[2] .. '-0', ARGV[2] .. '-0') > 0)
local entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[2] .. '-0', '+', 'COUNT', ARGV[3])
return { continues and 1 or 0, state(head), entries }
