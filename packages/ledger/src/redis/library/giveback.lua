-- giveback: puts back what an instance did not use.
-- flags: allow-oom
-- KEYS   epoch, members, instance, counter 1 .. n
-- ARGV   id, run, seen, instance, seq, asked (digest), replies kept, then for each counter: name, amount
-- answer returned | exceeds <position from 0> | seq_reused | seq_too_old | epoch
-- touches the counters (HASH), the instance (HASH: g:<name>, b<seq> replies); O(counters)
-- Atomic and remembered, since a second copy of it would put back what the instance has in hand again.
local function giveback(keys, args)
  local epoch = fence(keys[1], args[1], args[2], args[3])
  local at = now()
  if not epoch then return { 'epoch', plain(at), '0' } end
  local changes = plain(epoch.changes)
  local seq, asked, size = args[5], args[6], tonumber(args[7])
  local before, why = find_reply(keys[3], 'b', seq, asked, size)
  if before then return { 'returned', plain(at), changes } end
  if why then return { why, plain(at), changes } end

  local lines, wanted, counters = {}, {}, {}
  for n = 1, #keys - 3 do
    local name, amount = args[7 + n * 2 - 1], whole(args[7 + n * 2])
    if counters[name] == nil then
      local counter = read_counter(epoch, keys[3 + n], at)
      if counter == nil then return { 'epoch', plain(at), '0' } end
      counters[name] = counter
    end
    lines[n] = { name = name, amount = amount }
  end
  for n, line in ipairs(lines) do
    wanted[line.name] = (wanted[line.name] or 0) + line.amount
    local hand = redis.call('HMGET', keys[3], 'g:' .. line.name, 's:' .. line.name)
    if wanted[line.name] > tonumber(hand[1] or '0') - tonumber(hand[2] or '0') then
      return { 'exceeds', plain(at), changes, tostring(n - 1) }
    end
  end
  -- A stranger has nothing in hand, so it brought nothing.
  if redis.call('SISMEMBER', keys[2], args[4]) == 0 then return { 'returned', plain(at), changes } end

  for _, line in ipairs(lines) do
    local counter = counters[line.name]
    if counter then
      counter.balance = exact(counter.balance + line.amount)
      counter.out = counter.out - line.amount
    end
  end
  for name, counter in pairs(counters) do
    if counter then write_counter(epoch, counter) end
    redis.call('HINCRBY', keys[3], 'g:' .. name, plain(0 - wanted[name]))
  end
  keep_reply(keys[3], 'b', seq, asked, '1', size)
  changed(epoch)
  return { 'returned', plain(at), plain(epoch.changes) }
end
