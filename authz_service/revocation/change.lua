-- Makes one change of the list of revocations, and tells it to everyone who reads the stream: all of it or nothing.
--
-- KEYS[1]  hash: field → "<id of the change> <end in ms, 0 for never> <body>"; and `#` → the id of the last change, so
--          that a hash that is gone, such as by eviction, is not taken for one in which there is nothing
-- KEYS[2]  sorted set: field → when it ends, in milliseconds since the epoch
-- KEYS[3]  stream of changes, each `change`, `number`, `until`, `body`
-- KEYS[4]  how many changes there have been: a reader who misses a number has missed a change
-- ARGV[1]  revoke or restore
-- ARGV[2]  the body, as the callers understand it
-- ARGV[3]  how many revocations there may be
-- ARGV[4]  how many changes the stream keeps
-- then     revoke: the field, and for how many milliseconds it holds, 0 for ever
--          restore: the fields that end
--
-- returns  'done', the change's id, its number, what stood under each field before ('' for nothing)
--          'full' where there are too many revocations, 'none' where there was nothing to restore: nothing is changed
--
-- Time is this server's. What has ended is taken out first, at most 1000 at a time: each change adds one at most.

local ENDED_AT_A_TIME = 1000

local list, ends, changes, counter = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local action, body, most, kept = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
assert(action == 'revoke' or action == 'restore', 'ARGV[1] must be revoke or restore')
assert(#KEYS == 4 and #ARGV >= 5 and most, 'the arguments are not those of this script')

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local ended = redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, ENDED_AT_A_TIME)
if #ended > 0 then
    redis.call('HDEL', list, unpack(ended))
    redis.call('ZREM', ends, unpack(ended))
end

local function tell(till)
    local number = redis.call('INCR', counter)
    local id = redis.call('XADD', changes, 'MAXLEN', kept, '*',
        'change', action, 'number', number, 'until', till, 'body', body)
    redis.call('HSET', list, '#', id)
    return id, number
end

if action == 'restore' then
    local before, there = {}, false
    for at = 5, #ARGV do
        local value = redis.call('HGET', list, ARGV[at]) or ''
        before[#before + 1] = value
        there = there or value ~= ''
    end
    if not there then
        return {'none'}
    end
    for at = 5, #ARGV do
        redis.call('HDEL', list, ARGV[at])
        redis.call('ZREM', ends, ARGV[at])
    end
    local id, number = tell('0')
    return {'done', id, number, unpack(before)}
end

local field, holds = ARGV[5], tonumber(ARGV[6])
assert(holds and holds >= 0 and holds < 2 ^ 52, 'ARGV[6] must be milliseconds')
local before = redis.call('HGET', list, field) or ''
if before == '' and redis.call('HLEN', list) > most then -- `#` is one of them
    return {'full'}
end
local till = holds > 0 and string.format('%.0f', now + holds) or '0'
local id, number = tell(till)
redis.call('HSET', list, field, id .. ' ' .. till .. ' ' .. body)
if holds > 0 then
    redis.call('ZADD', ends, till, field)
else
    redis.call('ZREM', ends, field)
end
return {'done', id, number, before}
