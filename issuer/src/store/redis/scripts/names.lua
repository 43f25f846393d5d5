-- KEYS: a bucket. ARGV: the first name, the number of names.
return redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
