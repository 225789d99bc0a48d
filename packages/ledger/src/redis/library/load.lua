-- load: adds a block to a counter, once a block id.
-- KEYS   epoch, index of counters, counter
-- ARGV   id, run, seen, name of the counter, block id, amount, window end ('': never), max, free
-- answer loaded | known | ended | epoch
-- touches the counter (HASH) and the index (ZSET, name by window end); O(log counters)
-- Atomic, since a block that is counted twice is money that Postgres never wrote down.
local function load(keys, args)
  local epoch = fence(keys[1], args[1], args[2], args[3])
  local at = now()
  if not epoch then return { 'epoch', plain(at), '0' } end
  local amount, max, free = whole(args[6]), whole(args[8]), whole(args[9])
  local counter = read_counter(epoch, keys[3], at)
  if counter == nil then return { 'epoch', plain(at), '0' } end
  if not counter then
    -- Forgotten, and with it whether this block was ever here.
    if args[7] ~= '' and at >= tonumber(args[7]) then return { 'ended', plain(at), plain(epoch.changes) } end
    counter = { key = keys[3], balance = 0, out = 0, max = max, free = free, ends = args[7], fresh = true }
  elseif redis.call('HEXISTS', keys[3], 'b:' .. args[5]) == 1 then
    return { 'known', plain(at), plain(epoch.changes) }
  end
  counter.balance = exact(counter.balance + amount)
  counter.max = math.max(counter.max, max)
  counter.free = bounded(free + counter.max - max)
  write_counter(epoch, counter)
  redis.call('HSET', keys[3], 'blk', plain(amount), 'b:' .. args[5], plain(amount))
  if counter.fresh then
    redis.call('HSET', keys[3], 'we', args[7])
    redis.call('ZADD', keys[2], args[7] == '' and '+inf' or args[7], args[4])
    if args[7] ~= '' then
      redis.call('PEXPIRE', keys[3], plain(tonumber(args[7]) + KEPT_MS + EXPIRY_MARGIN_MS - at))
      if epoch.live then epoch.live.ends[keys[3]] = args[7] end
    end
  end
  changed(epoch)
  return { 'loaded', plain(at), plain(epoch.changes) }
end
