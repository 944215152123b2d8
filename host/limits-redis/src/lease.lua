-- Leases a slice of a limit to a host, in one step. Slots are twelfths of the
-- window. KEYS[1] is a hash: what was leased in which slot. It counts as used
-- until its whole slot is older than the window.
--
-- Amounts stay below 2^53, where these numbers are exact: a limit is for 10^15
-- at the most, and what is booked beyond is cut off at 2^52.
local slot_us = tonumber(ARGV[1])
local amount = tonumber(ARGV[2])
local least = tonumber(ARGV[3])      -- less than this is of no use
local wanted = tonumber(ARGV[4])     -- 0: nothing is, there is only to book
local owed = tonumber(ARGV[5])       -- spent already, whether there is room or not
local back_slot = tonumber(ARGV[6])  -- an earlier slot of this host,
local back = tonumber(ARGV[7])       -- and what it did not spend of that
local now_us = tonumber(ARGV[8])     -- for tests; nil: the clock of Redis, the same for all hosts
if not now_us then
    local time = redis.call('TIME')
    now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local slot = (now_us - now_us % slot_us) / slot_us

local function text(number)
    return string.format('%.0f', number)
end

local leased, moved = {}, false
local fields = redis.call('HGETALL', KEYS[1])
for at = 1, #fields, 2 do
    local number, value = tonumber(fields[at]), tonumber(fields[at + 1])
    if number == back_slot then
        value = math.max(value - back, 0)
        redis.call('HSET', KEYS[1], fields[at], text(value))
    end
    if number < slot - 12 then
        redis.call('HDEL', KEYS[1], fields[at])
    elseif number > slot + 1 then
        -- The clock was set back. Who has a lease may spend it for a slot's time
        -- from now on, so this is when it begins to leave.
        redis.call('HDEL', KEYS[1], fields[at])
        leased[slot + 1] = (leased[slot + 1] or 0) + value
        moved = true
    else
        leased[number] = (leased[number] or 0) + value
    end
end

if moved then
    redis.call('HSET', KEYS[1], text(slot + 1), text(leased[slot + 1]))
end

local function add(more)
    leased[slot] = math.min((leased[slot] or 0) + more, 4503599627370496)
    redis.call('HSET', KEYS[1], text(slot), text(leased[slot]))
    -- Until a lease in the next slot, which a clock set back can bring, is gone.
    redis.call('PEXPIRE', KEYS[1], text(math.ceil(15 * slot_us / 1000)))
end

if owed > 0 then
    add(owed)
end
local sum = 0
for _, value in pairs(leased) do
    sum = sum + value
end
local left_us = slot_us - now_us % slot_us
if sum + least <= amount then
    local granted = math.min(wanted, amount - sum)
    if granted > 0 then
        add(granted)
    end
    return { granted, slot, left_us, 0 }
end
local missing, wait_us = sum + least - amount, 0
for number = slot - 12, slot + 1 do
    if missing > 0 and leased[number] then
        missing = missing - leased[number]
        wait_us = (number + 13) * slot_us - now_us
    end
end
return { -1, slot, left_us, wait_us }
