-- Reads the whole list of revocations, and from where to follow its changes, at one instant. Changes nothing.
--
-- KEYS     as change.lua has them
-- ARGV[1]  the id of the last change that the caller knows, or '' where he knows none
-- ARGV[2]  how many changes the stream keeps
--
-- returns  the id of the last change ('0-0' where there has been none), how many there have been, the hash as fields
--          and values in turn, and the changes after ARGV[1], as far as the stream still has them

local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
local id = last[1] and last[1][1] or '0-0'
local missed = {}
if ARGV[1] ~= '' then
    missed = redis.call('XRANGE', KEYS[3], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
end
return {id, redis.call('GET', KEYS[4]) or '0', redis.call('HGETALL', KEYS[1]), missed}
