-- Only a master knows what there is, and what there is not.
local info = redis.call('INFO', 'replication')
if string.match(info, 'role:(%a+)') ~= 'master' then error({ err = 'READONLY a replica does not know' }) end
local master = string.match(info, 'master_replid:(%x+)')

-- What a caller is shown of a stored version: another one on another master. A swap that was decided on one master
-- never fits on the one that took over, nor on the same one after a restart.
local function version_here(stored)
  return string.sub(redis.sha1hex(string.sub(stored, 1, 16) .. master), 1, 16)
end
