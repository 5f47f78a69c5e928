-- Puts an entry into the stream, unless it is full.
--
-- KEYS[1]  stream of entries, each with one field `d`
-- ARGV[1]  the entry
-- ARGV[2]  how many entries there may be
-- ARGV[3]  for how long an entry is kept, in ms
-- returns  {1 or 0 for whether there was room, how many entries were dropped because their time was over}

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local over = redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', now - tonumber(ARGV[3])))
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[2]) then
    return {0, over}
end
redis.call('XADD', KEYS[1], '*', 'd', ARGV[1])
-- Nobody may come after us to drop what is over.
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {1, over}
