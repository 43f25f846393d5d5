-- KEYS: head. ARGV: time.
return state(open_head(KEYS[1]))
