-- settled: committed charges of one instance: what it had in hand is spent. Sent once and never again; it may get lost.
-- flags: allow-oom
-- KEYS   epoch, instance, counter 1 .. n
-- ARGV   id, run, seen, then for each counter: name, charged
-- answer done | epoch
-- touches the instance (HASH: s:<name>), the counters' `out`; O(counters)
local function settled(keys, args)
  local epoch = fence(keys[1], args[1], args[2], args[3])
  local at = now()
  if not epoch then return { 'epoch', plain(at), '0' } end
  for n = 1, #keys - 2 do
    local name, charged = args[3 + n * 2 - 1], whole(args[3 + n * 2])
    local hand = redis.call('HMGET', keys[2], 'g:' .. name, 's:' .. name)
    if hand[1] then
      redis.call('HSET', keys[2], 's:' .. name, plain(bounded(tonumber(hand[2] or '0') + charged)))
      local out = redis.call('HGET', keys[2 + n], 'out')
      if out then redis.call('HSET', keys[2 + n], 'out', plain(bounded(tonumber(out) - charged))) end
    end
  end
  changed(epoch)
  return { 'done', plain(at), plain(epoch.changes) }
end
