-- KEYS: a bucket. ARGV: where to begin, how many.
return redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
