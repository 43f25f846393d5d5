-- Only a master has all the data, so a replica gives an error.
local info = redis.call('INFO', 'replication')
if string.match(info, 'role:(%a+)') ~= 'master' then error({ err = 'READONLY a replica does not know' }) end
local master = string.match(info, 'master_replid:(%x+)')

-- The version that a caller sees. It differs on each master, so a swap that was decided on one master never matches on
-- another that took over, nor on the same one after a restart.
local function version_here(stored)
  return string.sub(redis.sha1hex(string.sub(stored, 1, 16) .. master), 1, 16)
end
