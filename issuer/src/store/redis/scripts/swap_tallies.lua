-- KEYS: the current counters, the previous counters.
-- ARGV: the largest number of counters, how long to keep them (in µs), then three arguments for each counter:
-- its name, the expected value and the new value; '' is no value.
-- Returns 1, or 0 if a counter does not have the expected value.
local current, former = KEYS[1], KEYS[2]
local most, keep = tonumber(ARGV[1]), tonumber(ARGV[2])
local function value(name)
  return redis.call('HMGET', current, name)[1] or redis.call('HMGET', former, name)[1] or ''
end
for at = 3, #ARGV, 3 do
  if value(ARGV[at]) ~= ARGV[at + 1] then return 0 end
end

local now = host_micros()
local began = tonumber(redis.call('HMGET', current, 'began')[1] or nil)
if began and (began + keep <= now or redis.call('HLEN', current) > most) then
  redis.call('UNLINK', former)
  redis.call('RENAME', current, former)
  began = nil
end
if not began then
  redis.call('HSET', current, 'began', string.format('%.0f', now))
  redis.call('PEXPIRE', current, string.format('%.0f', keep * 2 / 1000))
end
for at = 3, #ARGV, 3 do redis.call('HSET', current, ARGV[at], ARGV[at + 2]) end
return 1
