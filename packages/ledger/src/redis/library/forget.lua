-- forget: drops counters whose window is over, with nothing pooled and nothing in any hand.
-- flags: allow-oom
-- KEYS   epoch, index of counters, counter 1 .. n
-- ARGV   id, run, seen, then for each counter: name
-- answer done | epoch
-- touches the counters (removed) and the index; O(counters)
-- One whose window still runs stays: it knows which blocks it has had.
local function forget(keys, args)
  local epoch = fence(keys[1], args[1], args[2], args[3])
  local at = now()
  if not epoch then return { 'epoch', plain(at), '0' } end
  for n = 1, #keys - 2 do
    local counter = read_counter(epoch, keys[2 + n], at)
    if counter == nil then return { 'epoch', plain(at), '0' } end
    local over = counter and counter.ends ~= '' and at >= tonumber(counter.ends)
    if counter == false or (over and counter.balance == 0 and counter.out == 0) then
      drop_counter(epoch, keys[2], keys[2 + n], args[3 + n])
    end
  end
  changed(epoch)
  return { 'done', plain(at), plain(epoch.changes) }
end
