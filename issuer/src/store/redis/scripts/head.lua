-- Lua's numbers are doubles, which are exact up to 2^53. `tostring` would write large numbers with an exponent.
local function text(number) return string.format('%.0f', number) end

-- ARGV[1] of every script with a head is the latest time that the caller has received. The clock does not go back.
local function open_head(key)
  local names = { 'last', 'trimmed', 'retain', 'cutoff', 'sessions_since', 'clock', 'audit' }
  local fields = redis.call('HMGET', key, 'epoch', unpack(names))
  local head = { key = key, epoch = fields[1] or '' }
  for at, name in ipairs(names) do
    local number = tonumber(fields[at + 1] or '0')
    if not (number and number >= 0 and number <= 9007199254740991) then
      error({ err = 'CORRUPT ' .. name .. ' is no number' })
    end
    head[name] = number
  end
  head.micros = math.max(host_micros(), head.clock, tonumber(ARGV[1]))
  head.now = math.floor(head.micros / 1000000)
  return head
end

local function save(head)
  redis.call('HSET', head.key, 'last', text(head.last), 'cutoff', text(head.cutoff),
    'sessions_since', text(head.sessions_since), 'clock', text(head.micros))
end

local function state(head)
  return { head.epoch, head.last, head.retain, head.cutoff, head.sessions_since, head.micros }
end

-- Appends the entries in ARGV from `first` on. There are three arguments for each entry:
-- 1. the JSON of the entry, or '' for a new cut-off at the current time;
-- 2. the time of a cut-off that is put back, else '';
-- 3. '1' if a cut-off ends sessions, else '0'.
local function append(head, log, seen, first)
  if first > #ARGV then return end
  if head.epoch == '' then error({ err = 'NOEPOCH the store was emptied' }) end
  for at = first, #ARGV, 3 do
    local entry, cutoff, ends = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2] == '1'
    if entry == '' then
      cutoff = math.max(head.now, head.cutoff) + 1
      entry = string.format('{"what":"cutoff","cutoff":%.0f,"end_sessions":%s}', cutoff, tostring(ends))
    end
    if cutoff then
      head.cutoff = math.max(head.cutoff, cutoff)
      if ends then head.sessions_since = math.max(head.sessions_since, cutoff) end
    end
    head.last = math.max(head.last + 1, seen + 1, head.micros)
    redis.call('XADD', log, text(head.last) .. '-0', 'at', text(head.now), 'entry', entry)
  end
  save(head)
end
