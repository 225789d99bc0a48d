-- close: an instance has left: what it was given, less what came back and what it spent, is pooled again.
-- flags: allow-oom
-- KEYS   epoch, members, instance
-- ARGV   id, run, seen, instance, prefix of the counters' keys, then for each counter: name, spent (the ledger's own sum)
-- answer closed | epoch
-- touches the instance (removed), members, every counter that it had a lease of; O(its counters)
-- Its counters' keys are built from the prefix: they share the slot, and only the instance's own key knows which they are.
local function close(keys, args)
  local epoch = fence(keys[1], args[1], args[2], args[3])
  local at = now()
  if not epoch then return { 'epoch', plain(at), '0' } end
  local spent = {}
  for n = 6, #args, 2 do spent[args[n]] = whole(args[n + 1]) end
  local fields = redis.call('HGETALL', keys[3])
  local given, charged = {}, {}
  for n = 1, #fields, 2 do
    local kind, name = string.sub(fields[n], 1, 2), string.sub(fields[n], 3)
    if kind == 'g:' then given[name] = tonumber(fields[n + 1]) end
    if kind == 's:' then charged[name] = tonumber(fields[n + 1]) end
  end
  local counters = {}
  for name, amount in pairs(given) do
    local counter = read_counter(epoch, args[5] .. name, at)
    if counter == nil then return { 'epoch', plain(at), '0' } end
    if counter then
      counter.out = bounded(counter.out - amount + (charged[name] or 0))
      counter.balance = bounded(counter.balance + amount - (spent[name] or 0))
      counters[#counters + 1] = counter
    end
  end
  for _, counter in ipairs(counters) do write_counter(epoch, counter) end
  redis.call('DEL', keys[3])
  redis.call('SREM', keys[2], args[4])
  redis.call('HINCRBY', keys[1], 'closes', 1)
  changed(epoch)
  return { 'closed', plain(at), plain(epoch.changes) }
end
