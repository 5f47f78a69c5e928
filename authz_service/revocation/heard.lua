-- Notes how far a replica has followed the changes.
--
-- KEYS[1]  hash: replica → "<id of the last change in force there> <when it said so, in ms since the epoch>"
-- ARGV[1]  the replica's name
-- ARGV[2]  the id
-- ARGV[3]  how many replicas may be noted: with more, all are forgotten, and those that live say it again in a second

if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then
    redis.call('DEL', KEYS[1])
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. string.format('%.0f', now))
return redis.status_reply('OK')
