-- page: what is here, some counters at a time; what was drained and is not known to be refunded, on the first page.
-- flags: allow-oom
-- KEYS   epoch, index of counters, drains
-- ARGV   id, run, seen, prefix of the counters' keys, first, how many
-- answer page <first of the next, or ''> [drain id, JSON, ...] [name, window end, balance, out, ...] | epoch
-- touches nothing but counters whose time is over (removed); O(log counters + how many)
local function page(keys, args)
  local epoch = fence(keys[1], args[1], args[2], args[3])
  local at = now()
  if not epoch then return { 'epoch', plain(at), '0' } end
  local first, count = tonumber(args[5]), tonumber(args[6])
  local names = redis.call('ZRANGE', keys[2], first, first + count - 1)
  local counters, gone = {}, 0
  for _, name in ipairs(names) do
    local key = args[4] .. name
    local counter = read_counter(epoch, key, at)
    if counter == nil then return { 'epoch', plain(at), '0' } end
    if counter then
      counters[#counters + 1] = name
      counters[#counters + 1] = counter.ends
      counters[#counters + 1] = plain(counter.balance)
      counters[#counters + 1] = plain(counter.out)
    else
      drop_counter(epoch, keys[2], key, name)
      gone = gone + 1
    end
  end
  local next = #names < count and '' or plain(first + count - gone)
  local drains = first == 0 and redis.call('HGETALL', keys[3]) or {}
  return { 'page', plain(at), plain(epoch.changes), next, drains, counters }
end
