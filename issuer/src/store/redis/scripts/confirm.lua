-- KEYS: head, log. ARGV: time, the caller's epoch and last sequence number.
-- Returns { 1 or 0, state }. 1 means that the epochs are equal and the store has all entries up to that number.
local head = open_head(KEYS[1])
-- A master that lost its replicas refuses this write. So an isolated master cannot confirm.
redis.call('HSET', head.key, 'clock', text(head.micros))
local held = tonumber(ARGV[3])
local known = held == head.last or held < head.last
  and (held <= head.trimmed or #redis.call('XRANGE', KEYS[2], ARGV[3] .. '-0', ARGV[3] .. '-0') > 0)
return { ARGV[2] == head.epoch and known and 1 or 0, state(head) }
