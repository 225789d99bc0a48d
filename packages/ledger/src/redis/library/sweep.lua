-- sweep: removes what an epoch that is over left behind.
-- flags: allow-oom
-- KEYS   epoch; index, members and drains of the earlier one
-- ARGV   id, run, seen, prefix of the earlier one's counters, prefix of its instances, how many keys at once
-- answer swept | more | epoch
-- touches keys of the earlier epoch (removed); O(how many)
local function sweep(keys, args)
  local epoch = fence(keys[1], args[1], args[2], args[3])
  if not epoch then return { 'epoch', plain(now()), '0' } end
  local count = tonumber(args[6])
  local names = redis.call('ZRANGE', keys[2], 0, count - 1)
  for _, name in ipairs(names) do
    redis.call('UNLINK', args[4] .. name)
    redis.call('ZREM', keys[2], name)
  end
  local members = redis.call('SPOP', keys[3], count)
  for _, instance in ipairs(members) do redis.call('UNLINK', args[5] .. instance) end
  redis.call('UNLINK', keys[4])
  local more = #names == count or #members == count
  return { more and 'more' or 'swept', plain(now()), plain(epoch.changes) }
end
