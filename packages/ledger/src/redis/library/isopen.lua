-- isopen: is this the epoch that lives here, with all it held?
-- flags: no-writes
-- KEYS   epoch
-- ARGV   id, run id of the server, changes that the caller has seen
-- answer open | epoch
-- touches nothing; O(1)
local function isopen(keys, args)
  local epoch = fence(keys[1], args[1], args[2], args[3])
  return { epoch and 'open' or 'epoch', plain(now()), plain(epoch and epoch.changes or 0) }
end
