-- KEYS: a bucket. ARGV: where to begin ('-', or '(' and the last known name), the number of names.
return redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
