-- KEYS: audit. ARGV: the newest id or '+', the number of events. Returns them, newest first.
return redis.call('XREVRANGE', KEYS[1], ARGV[1], '-', 'COUNT', ARGV[2])
