-- Reads the list of revocations, or what has become of it, and from where to follow its changes, at one instant. Changes
-- nothing.
--
-- KEYS     as change.lua has them
-- ARGV[1]  the id of the last change that the caller knows, or '' where he knows none
-- ARGV[2]  its number, or '' where the caller wants the whole list
-- ARGV[3]  how many changes the stream keeps
--
-- returns  the id of the last change ('0-0' where there has been none), how many there have been, the hash as fields
--          and values in turn, and the changes after ARGV[1], as far as the stream still has them
--
-- Where these are all the changes since, there is nothing in place of the hash: a long list costs every reader dearly.

local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
local id = last[1] and last[1][1] or '0-0'
local number = redis.call('GET', KEYS[4]) or '0'
local missed = {}
if ARGV[1] ~= '' then
    missed = redis.call('XRANGE', KEYS[3], '(' .. ARGV[1], '+', 'COUNT', ARGV[3])
end
local known, now = tonumber(ARGV[2]), tonumber(number)
local whole = (redis.call('HGET', KEYS[1], '#') or '0-0') == id
local follows = #missed > 0 or id == ARGV[1]
if ARGV[1] ~= '' and known and now and whole and follows and now - known == #missed then
    return {id, number, false, missed}
end
return {id, number, redis.call('HGETALL', KEYS[1]), missed}
