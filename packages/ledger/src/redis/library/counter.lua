-- A counter in one window: HASH bal (pooled), out (in hands), max and free (of the limit, as last told), blk (the last
-- block), we (window end, '' for never), b:<block id> (its amount). Gone `KEPT_MS` after its window.
local KEPT_MS = 3600000
-- Redis drops the key a little later than we stop to look at it, so that the two never disagree.
local EXPIRY_MARGIN_MS = 60000

local function drop_counter(epoch, index, key, name)
  redis.call('DEL', key)
  redis.call('ZREM', index, name)
  if epoch.live then
    epoch.live.mirror[key] = nil
    epoch.live.ends[key] = nil
  end
end

-- read_counter(epoch, key, at): the counter; false where there is none; nil where what stands there is not what was
-- written, or where it was written and is missing: never fresh budget. O(1).
local function read_counter(epoch, key, at)
  local live = epoch.live
  local row = redis.call('HMGET', key, 'bal', 'out', 'max', 'free', 'blk', 'we')
  local ended = row[6] or (live and live.ends[key]) or ''
  if ended ~= '' and at >= tonumber(ended) + KEPT_MS then
    redis.call('DEL', key)
    if live then
      live.mirror[key] = nil
      live.ends[key] = nil
    end
    return false
  end
  local balance = row[1] and tonumber(row[1]) or nil
  if live and live.mirror[key] ~= balance then return nil end
  if not balance then return false end
  return {
    key = key,
    balance = balance,
    out = tonumber(row[2]),
    max = tonumber(row[3]),
    free = tonumber(row[4]),
    block = tonumber(row[5]),
    ends = row[6],
  }
end

-- write_counter(epoch, counter): balance and what is in hands. O(1).
local function write_counter(epoch, counter)
  redis.call('HSET', counter.key, 'bal', plain(counter.balance), 'out', plain(counter.out),
    'max', plain(counter.max), 'free', plain(counter.free))
  if epoch.live then epoch.live.mirror[counter.key] = counter.balance end
end

-- Settled amounts and debts may add up beyond what is exact: there they stay, at the end of the scale.
local function bounded(number)
  return math.max(-MAX_AMOUNT, math.min(MAX_AMOUNT, number))
end
