-- KEYS: audit. ARGV: the newest id or '+', how many.
return redis.call('XREVRANGE', KEYS[1], ARGV[1], '-', 'COUNT', ARGV[2])
