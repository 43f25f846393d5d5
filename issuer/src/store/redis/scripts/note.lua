-- KEYS: head, audit. ARGV: time, the number of events to keep, the new events.
local head = open_head(KEYS[1])
for at = 3, #ARGV do
  head.audit = head.audit + 1
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], text(head.audit) .. '-0', 'at', text(head.now), 'event', ARGV[at])
end
redis.call('HSET', head.key, 'audit', text(head.audit))
return state(head)
