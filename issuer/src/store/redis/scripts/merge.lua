-- KEYS: head, log. ARGV: time, the epoch for a store that has none, and the least values of retain, cut-off and
-- sessions_since. Returns the state.
local head = open_head(KEYS[1])
if head.epoch == '' then
  head.epoch = ARGV[2]
  -- The head may have been lost while the revocation log was kept.
  local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  if newest then head.last = math.max(head.last, tonumber(string.match(newest[1], '^%d+'))) end
end
head.retain = math.max(head.retain, tonumber(ARGV[3]))
head.cutoff = math.max(head.cutoff, tonumber(ARGV[4]))
head.sessions_since = math.max(head.sessions_since, tonumber(ARGV[5]))
redis.call('HSET', head.key, 'epoch', head.epoch, 'retain', text(head.retain))
save(head)
return state(head)
