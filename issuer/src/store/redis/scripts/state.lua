-- KEYS: head. ARGV: time. Returns the state.
return state(open_head(KEYS[1]))
