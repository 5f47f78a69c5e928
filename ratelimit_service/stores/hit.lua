-- Charges all the buckets of one request, atomically. Which numbers come in and go out:
--
-- KEYS     one key for each charge; a key may come again, and then sees the charges before it
-- ARGV[1]  how long keys outlive their use, in milliseconds: the caller's jitter, against keys expiring all at once
-- then, for each charge in the order of KEYS:
--     'w' hits seconds limit                                            a fixed window of so many seconds
--     'b' hits ticks cost_us cost_ticks capacity_us capacity_ticks      a token bucket
--
-- returns  now, then for each charge: over (0 or 1), and two numbers
--     now     this server's clock in microseconds since the epoch
--     window  the count after the charge, 0
--     bucket  the instant when it will be full again: whole microseconds since the epoch, and ticks
--
-- A window counts always: SET to "<start in seconds> <count>", over when the count after the charge exceeds its limit.
-- A bucket is SET to "<us> <ticks> <ticks per us>", and all or nothing: if any charge of the call is over, no bucket is
-- charged, and each bucket's answer is its instant without any charge of the call. 0 hits charge nothing; for a bucket
-- their cost is that of one token, which is asked about but not taken. What is not charged is not written, except that
-- a bucket emptier than empty (the clock was set back, or its burst lowered) is set to empty, so that it can refill.
--
-- Numbers are doubles, whole and exact below 2^53 (9.0e15). An instant is at most now + capacity (the clamp below), and
-- with a cost of at most capacity + 1 us added, now + 2 * capacity + 1 us. Capacities are at most 50 years (1.6e15 us),
-- so that holds while now is below 5.8e15 us, which is the year 2155. A bucket's `ticks` per microsecond are below 2^32,
-- the sum of two such remainders below 2^33. Counts stop at 2^52, and hits are below 2^32. Numbers go into keys through
-- %.0f, because Lua's own tostring keeps only 14 digits.

local MAX_COUNT = 2 ^ 52

local at = 0
local function word()
    at = at + 1
    return ARGV[at]
end

local function whole(what)
    local number = tonumber(word())
    assert(number and number >= 0 and number < 2 ^ 53 and number % 1 == 0, what .. ' must be a whole number below 2^53')
    return number
end

assert(#KEYS > 0, 'no KEYS: a call charges at least one bucket')
local linger = whole('ARGV[1]')

local clock = redis.call('TIME')
local now_seconds = tonumber(clock[1])
local now = now_seconds * 1000000 + tonumber(clock[2])

local function expiry(us)
    return string.format('%.0f', math.max(math.ceil((us - now) / 1000), 1) + linger)
end

local function later(us, ticks, than_us, than_ticks)
    return us > than_us or (us == than_us and ticks > than_ticks)
end

local function window(key, known)
    local hits, seconds, limit = whole('hits'), whole('seconds'), whole('limit')
    assert(seconds > 0, 'seconds must be above 0')
    local start = now_seconds - now_seconds % seconds
    if not known then
        known = { kind = 'w', count = 0, ends = (start + seconds) * 1000000, start = start }
        local stored_start, stored_count = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
        if tonumber(stored_start) == start then
            known.count = tonumber(stored_count)
        end
    end
    known.count = math.min(known.count + hits, MAX_COUNT)
    known.written = known.written or hits > 0
    return known, known.count > limit, known.count, 0
end

local function bucket(key, known)
    local hits, per_us = whole('hits'), whole('ticks')
    local cost_us, cost_ticks = whole('cost_us'), whole('cost_ticks')
    local capacity_us, capacity_ticks = whole('capacity_us'), whole('capacity_ticks')
    assert(cost_ticks < per_us and capacity_ticks < per_us, 'ticks must be fewer than those of a microsecond')
    local empty_us, empty_ticks = now + capacity_us, capacity_ticks
    if not known then
        local us, ticks = now, 0
        local stored_us, stored_ticks, stored_per_us =
            string.match(redis.call('GET', key) or '', '^(%d+) (%d+) (%d+)$')
        if stored_us then
            us, ticks = tonumber(stored_us), tonumber(stored_ticks)
            if tonumber(stored_per_us) ~= per_us and ticks > 0 then
                us, ticks = us + 1, 0 -- The rate has changed: round up, which never admits more.
            end
        end
        local in_debt = later(us, ticks, empty_us, empty_ticks)
        if us < now then
            us, ticks = now, 0
        elseif in_debt then
            us, ticks = empty_us, empty_ticks
        end
        known = { kind = 'b', us = us, ticks = ticks, per_us = per_us, free_us = us, free_ticks = ticks }
        known.written = in_debt
    end
    local us, ticks = known.us + cost_us, known.ticks + cost_ticks
    if ticks >= per_us then
        us, ticks = us + 1, ticks - per_us
    end
    local over = later(us, ticks, empty_us, empty_ticks)
    if not over and hits > 0 then
        known.us, known.ticks, known.charged = us, ticks, true
    end
    return known, over, known.us, known.ticks
end

-- First all reading and reckoning, then all writing: a call that is refused by an assertion has changed nothing.
local buckets, order, answers, denied = {}, {}, {}, false
for index, key in ipairs(KEYS) do
    local kind = word()
    assert(kind == 'w' or kind == 'b', 'each charge begins with w or b')
    local known = buckets[key]
    assert(not known or known.kind == kind, 'one key is either a window or a bucket')
    local over, first, second
    if kind == 'w' then
        known, over, first, second = window(key, known)
    else
        known, over, first, second = bucket(key, known)
    end
    if not buckets[key] then
        buckets[key] = known
        order[#order + 1] = key
    end
    answers[index] = { bucket = known, over = over, first = first, second = second }
    denied = denied or over
end
assert(at == #ARGV, 'more ARGV than the charges of KEYS take')

for _, key in ipairs(order) do
    local known = buckets[key]
    if denied and known.kind == 'b' then
        known.us, known.ticks = known.free_us, known.free_ticks
    end
    if known.written and known.kind == 'w' then
        local value = string.format('%.0f %.0f', known.start, known.count)
        redis.call('SET', key, value, 'PX', expiry(known.ends))
    elseif known.kind == 'b' and (known.written or (known.charged and not denied)) then
        local value = string.format('%.0f %.0f %.0f', known.us, known.ticks, known.per_us)
        redis.call('SET', key, value, 'PX', expiry(known.us + 1))
    end
end

local reply = { now }
for _, answer in ipairs(answers) do
    local known = answer.bucket
    if denied and known.kind == 'b' then
        answer.first, answer.second = known.us, known.ticks
    end
    reply[#reply + 1] = answer.over and 1 or 0
    reply[#reply + 1] = answer.first
    reply[#reply + 1] = answer.second
end
return reply
