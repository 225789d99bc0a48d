-- refunded: what a drain took is back where it came from.
-- flags: allow-oom
-- KEYS   epoch, drains
-- ARGV   id, run, seen, drain id
-- answer done | epoch
-- touches drains (HASH); O(1)
local function refunded(keys, args)
  local epoch = fence(keys[1], args[1], args[2], args[3])
  if not epoch then return { 'epoch', plain(now()), '0' } end
  if redis.call('HDEL', keys[2], args[4]) == 1 then changed(epoch) end
  return { 'done', plain(now()), plain(epoch.changes) }
end
