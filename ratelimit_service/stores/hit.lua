-- Charges the buckets of one request, or of several that came at once, each request atomically and in turn.
--
-- KEYS     one key for each charge; a key may come again, and then sees the charges before it
-- ARGV[1]  how long keys outlive their use, in milliseconds: the caller's jitter, against keys expiring all at once
-- then, for each request, its head and its charges in the order of KEYS:
--     number denied sparing       how many charges; 1 if it is denied whatever they say; 1 to spare windows (see below)
--     'w' hits role seconds limit                                            a fixed window
--     's' hits role slice_us slices limit                                    a sliding window
--     'b' hits role ticks cost_us cost_ticks capacity_us capacity_ticks      a token bucket; the cost is that of |hits|
-- hits     above 0 charges, 0 only looks, below 0 gives back
-- role     0: if it is over, the request is denied; 1: it denies nothing; 2: denied if all charges of this role are over
--
-- returns  now, then for each charge: over (0 or 1), and two numbers
--     now             this server's clock in microseconds since the epoch
--     fixed window    the count after the charge, 0
--     sliding window  the count after the charge, and microseconds until it is empty or, if over, the charge would fit
--     token bucket    the instant when it will be full again: whole microseconds since the epoch, and ticks
--
-- A fixed window counts always, and is over when the count after the charge exceeds its limit; only if `sparing` is 1,
-- those that are not over count nothing in a denied request. Sliding windows and buckets are charged all or nothing: in
-- a denied request none of them is, and their answer is what they hold without any charge of it; one that is over takes
-- nothing. To look at them asks for one hit. What is given back is given back in a denied request too, is never over,
-- and leaves no count below 0 and no bucket fuller than full.
--
-- What is kept: of a fixed window "<start in seconds> <count>"; of a sliding one "<slice> <count> ..." from its oldest
-- slice to its newest, slices numbered since the epoch; of a bucket "<us> <ticks> <ticks per us>". A key that nothing
-- was done to is not written. A clock that was set back leaves a bucket empty at worst, and a sliding window with all
-- its hits in the present slice; that is written, so that both can recover.
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

local function number(what)
    local value = tonumber(word())
    assert(value and value > -2 ^ 53 and value < 2 ^ 53 and value % 1 == 0, what .. ' must be a whole number below 2^53')
    return value
end

local function whole(what)
    local value = number(what)
    assert(value >= 0, what .. ' must not be below 0')
    return value
end

assert(#KEYS > 0, 'no KEYS: a call charges at least one bucket')
local linger = whole('ARGV[1]')

local clock = redis.call('TIME')
local now_seconds = tonumber(clock[1])
local now = now_seconds * 1000000 + tonumber(clock[2])

local function later(us, ticks, than_us, than_ticks)
    return us > than_us or (us == than_us and ticks > than_ticks)
end

-- The state of each key that the call has met: `buckets` by name, `order` as they came. A state has its `kind`, `ends`
-- (the instant when it will have lost its meaning, in microseconds) and `written` (whether it is to be kept).
local buckets, order = {}, {}
local request = 0 -- the number of the one that is reckoned

local function state(key, kind, read)
    local known = buckets[key]
    if not known then
        known = read(redis.call('GET', key) or '')
        known.kind, known.key = kind, key
        buckets[key] = known
        order[#order + 1] = known
    end
    assert(known.kind == kind, 'one key is of one kind')
    return known
end

-- Fixed windows ------------------------------------------------------------------------------------------------------

local function read_window(text)
    local start, count = string.match(text, '^(%d+) (%d+)$')
    return { start = tonumber(start), count = tonumber(count) }
end

local function add_to_count(count, hits)
    return math.max(math.min(count + hits, MAX_COUNT), 0)
end

-- `spared` is the count as it is if the request turns out to be denied and its windows are spared.
local function charge_window(answer, key, hits)
    local seconds, limit = whole('seconds'), whole('limit')
    assert(seconds > 0, 'seconds must be above 0')
    local known = state(key, 'w', read_window)
    local start = now_seconds - now_seconds % seconds
    if known.start == start + seconds then
        start = known.start -- The clock was set back over the window's start: it goes on, and admits nothing twice.
    elseif known.start ~= start then
        known.start, known.count = start, 0
    end
    if known.request ~= request then
        known.request, known.spared = request, known.count
    end
    known.count = add_to_count(known.count, hits)
    known.ends = (start + seconds) * 1000000
    known.written = known.written or hits ~= 0
    answer.known = known
    answer.over = hits >= 0 and known.count > limit
    answer.first, answer.second = known.count, 0
    if hits < 0 or answer.over then
        known.spared = add_to_count(known.spared, hits)
    end
end

-- Sliding windows: `list` is slice, count, slice, count ... from the oldest to the newest ------------------------------

local function read_slices(text)
    local list = {}
    for digits in string.gmatch(text, '%d+') do
        list[#list + 1] = tonumber(digits)
    end
    return { list = list }
end

-- Slices that have left the span are gone; those of the future (the clock was set back) become the present one.
local function settle_slices(known, slice_us, slices)
    local present = math.floor(now / slice_us)
    local list, used, n = {}, 0, 0
    for i = 1, #known.list - 1, 2 do
        local slice, count = known.list[i], known.list[i + 1]
        if slice > present then
            slice, known.written = present, true
        end
        if slice >= present - slices then
            used = used + count
            if n > 0 and list[n - 1] == slice then
                list[n] = list[n] + count
            else
                list[n + 1], list[n + 2], n = slice, count, n + 2
            end
        end
    end
    known.list, known.used, known.present = list, used, present
    known.slice_us, known.slices = slice_us, slices
end

local function take_from_slices(known, hits)
    local list = known.list
    while hits > 0 and #list > 0 do
        local n = #list
        local taken = math.min(list[n], hits)
        list[n], hits, known.used = list[n] - taken, hits - taken, known.used - taken
        if list[n] == 0 then
            list[n], list[n - 1] = nil, nil
        end
    end
end

local function leaves(known, slice)
    return (slice + known.slices + 1) * known.slice_us
end

-- How long until the window is empty or, if the charge was over, until it would fit.
local function wait_for_slices(answer)
    local known, list = answer.known, answer.known.list
    if #list == 0 then
        return 0
    end
    local slice = list[#list - 1]
    if answer.over then
        local free = answer.limit - known.used
        if free >= answer.asked then
            return 0 -- it was over for what came before it in a request that was denied
        end
        for i = 1, #list - 1, 2 do
            if free < answer.asked then
                free, slice = free + list[i + 1], list[i]
            end
        end
    end
    return leaves(known, slice) - now
end

local function charge_slices(answer, key, hits)
    local slice_us, slices, limit = whole('slice_us'), whole('slices'), whole('limit')
    assert(slice_us > 0 and slices > 0, 'slice_us and slices must be above 0')
    local known = state(key, 's', read_slices)
    if not known.present then
        settle_slices(known, slice_us, slices)
    end
    answer.known, answer.limit, answer.asked = known, limit, math.max(hits, 1)
    answer.over = hits >= 0 and known.used + answer.asked > limit
    if hits < 0 then
        take_from_slices(known, -hits)
        known.written = true
    elseif hits > 0 and not answer.over then
        local list = known.list
        local n = #list
        if n > 0 and list[n - 1] == known.present then
            list[n] = list[n] + hits
        else
            list[n + 1], list[n + 2] = known.present, hits
        end
        known.used = known.used + hits
        answer.added = hits
    end
    answer.first, answer.second = known.used, wait_for_slices(answer)
end

-- Token buckets --------------------------------------------------------------------------------------------------------

local function read_bucket(text)
    local us, ticks, per_us = string.match(text, '^(%d+) (%d+) (%d+)$')
    return { us = tonumber(us) or 0, ticks = tonumber(ticks) or 0, per_us = tonumber(per_us) }
end

local function settle_bucket(known, per_us, empty_us, empty_ticks)
    if known.per_us ~= per_us then
        if known.per_us and known.ticks > 0 then
            known.us, known.ticks = known.us + 1, 0 -- The rate has changed: round up, which never admits more.
        end
        known.per_us = per_us
    end
    if known.us < now then
        known.us, known.ticks = now, 0
    elseif later(known.us, known.ticks, empty_us, empty_ticks) then
        known.us, known.ticks, known.written = empty_us, empty_ticks, true
    end
end

local function give_back(known, cost_us, cost_ticks)
    known.us, known.ticks = known.us - cost_us, known.ticks - cost_ticks
    if known.ticks < 0 then
        known.us, known.ticks = known.us - 1, known.ticks + known.per_us
    end
    if known.us < now then
        known.us, known.ticks = now, 0
    end
end

local function charge_bucket(answer, key, hits)
    local per_us, cost_us, cost_ticks = whole('ticks'), whole('cost_us'), whole('cost_ticks')
    local capacity_us, capacity_ticks = whole('capacity_us'), whole('capacity_ticks')
    assert(cost_ticks < per_us and capacity_ticks < per_us, 'ticks must be fewer than those of a microsecond')
    local known = state(key, 'b', read_bucket)
    local empty_us, empty_ticks = now + capacity_us, capacity_ticks
    settle_bucket(known, per_us, empty_us, empty_ticks)
    local us, ticks = known.us + cost_us, known.ticks + cost_ticks
    if ticks >= per_us then
        us, ticks = us + 1, ticks - per_us
    end
    answer.known = known
    answer.over = hits >= 0 and later(us, ticks, empty_us, empty_ticks)
    if hits < 0 then
        give_back(known, cost_us, cost_ticks)
        known.written = true
    elseif hits > 0 and not answer.over then
        known.us, known.ticks = us, ticks
        answer.added, answer.cost_us, answer.cost_ticks = hits, cost_us, cost_ticks
    end
    answer.first, answer.second = known.us, known.ticks
end

-- Requests -------------------------------------------------------------------------------------------------------------

local charges = { w = charge_window, s = charge_slices, b = charge_bucket }

-- First all reading and reckoning, then all writing: a call that is refused by an assertion has changed nothing.
local reply = { now }
local key_at = 0
while at < #ARGV do
    request = request + 1
    local count, denied, sparing = whole('number'), whole('denied') == 1, whole('sparing') == 1
    local answers, quotas, quotas_over = {}, 0, 0
    for index = 1, count do
        key_at = key_at + 1
        local key, charge = KEYS[key_at], charges[word()]
        assert(key and charge, 'each charge has a key and begins with w, s or b')
        local hits, role = number('hits'), whole('role')
        local answer = {}
        charge(answer, key, hits)
        answers[index] = answer
        if role == 2 then
            quotas = quotas + 1
            quotas_over = quotas_over + (answer.over and 1 or 0)
        elseif role == 0 and answer.over then
            denied = true
        end
    end
    denied = denied or (quotas > 0 and quotas == quotas_over)

    if denied then
        for _, answer in ipairs(answers) do
            local known = answer.known
            if known.kind == 'b' and answer.added then
                give_back(known, answer.cost_us, answer.cost_ticks)
            elseif known.kind == 's' and answer.added then
                take_from_slices(known, answer.added)
            elseif known.kind == 'w' and sparing then
                known.count = known.spared
            end
        end
    end
    for _, answer in ipairs(answers) do
        local known = answer.known
        if denied and known.kind == 'b' then
            answer.first, answer.second = known.us, known.ticks
        elseif denied and known.kind == 's' then
            answer.first, answer.second = known.used, wait_for_slices(answer)
        elseif denied and sparing and not answer.over then
            answer.first = known.count
        elseif answer.added and answer.added > 0 then
            known.written = true
        end
        reply[#reply + 1] = answer.over and 1 or 0
        reply[#reply + 1] = answer.first
        reply[#reply + 1] = answer.second
    end
end
assert(key_at == #KEYS, 'more KEYS than charges')

local function text(known)
    if known.kind == 'w' then
        return string.format('%.0f %.0f', known.start, known.count)
    elseif known.kind == 'b' then
        known.ends = known.us + 1
        return string.format('%.0f %.0f %.0f', known.us, known.ticks, known.per_us)
    end
    local words = {}
    for i, value in ipairs(known.list) do
        words[i] = string.format('%.0f', value)
    end
    known.ends = #words > 0 and leaves(known, known.list[#words - 1]) or now
    return table.concat(words, ' ')
end

for _, known in ipairs(order) do
    if known.written then
        local value = text(known)
        local life = math.max(math.ceil((known.ends - now) / 1000), 1) + linger
        redis.call('SET', known.key, value, 'PX', string.format('%.0f', life))
    end
end
return reply
