-- Only a master has all the data, so the script fails on a replica.
local info = redis.call('INFO', 'replication')
if string.match(info, 'role:(%a+)') ~= 'master' then error({ err = 'READONLY a replica does not know' }) end
local master = string.match(info, 'master_replid:(%x+)')

-- The version that a caller sees. The same record has another version on each master, and on the same master after a
-- restart. So a swap with an old version never matches after a failover or a restart.
local function version_here(stored)
  return string.sub(redis.sha1hex(string.sub(stored, 1, 16) .. master), 1, 16)
end
