-- KEYS: head, log, ring. ARGV: time, the last sequence number that the caller knows, expected version or '', new
-- version, ring, entries. Returns { 1 or 0, state }. 0 means that the stored ring has another version.
local head = open_head(KEYS[1])
local stored = redis.call('GET', KEYS[3])
if (stored and version_here(stored) or '') ~= ARGV[3] then return { 0, state(head) } end
append(head, KEYS[2], tonumber(ARGV[2]), 6)
redis.call('SET', KEYS[3], ARGV[4] .. ARGV[5])
return { 1, state(head) }
