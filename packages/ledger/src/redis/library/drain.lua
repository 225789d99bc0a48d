-- drain: takes what is pooled out of counters, to be refunded under an id, and remembers it until it is.
-- flags: allow-oom
-- KEYS   epoch, drains, counter 1 .. n
-- ARGV   id, run, seen, drain id, then for each counter: name, max ('': leave it)
-- answer drained, then name, amount of each | epoch
-- touches the counters (HASH), drains (HASH: JSON list by drain id); O(counters)
-- Atomic, since what is remembered to be refunded must be what nobody can lease any more.
local function drain(keys, args)
  local epoch = fence(keys[1], args[1], args[2], args[3])
  local at = now()
  if not epoch then return { 'epoch', plain(at), '0' } end
  local before = redis.call('HGET', keys[2], args[4])
  local taken = before and cjson.decode(before) or {}
  if not before then
    local counters, named = {}, {}
    for n = 1, #keys - 2 do
      local counter = read_counter(epoch, keys[2 + n], at)
      if counter == nil then return { 'epoch', plain(at), '0' } end
      counters[n] = counter
      local name, max = args[4 + n * 2 - 1], args[4 + n * 2]
      if counter and named[name] then error({ err = 'TOLLGATE a counter is named twice' }) end
      named[name] = true
      if counter then
        if max ~= '' then
          counter.free = bounded(counter.free + whole(max) - counter.max)
          counter.max = whole(max)
        end
        if counter.balance > 0 then
          taken[#taken + 1] = { name, plain(counter.balance) }
          counter.free = bounded(counter.free + counter.balance)
          counter.balance = 0
        end
      end
    end
    for _, counter in ipairs(counters) do
      if counter then write_counter(epoch, counter) end
    end
    if #taken > 0 then redis.call('HSET', keys[2], args[4], cjson.encode(taken)) end
    changed(epoch)
  end
  local answer = { 'drained', plain(at), plain(epoch.changes) }
  for _, line in ipairs(taken) do
    answer[#answer + 1] = line[1]
    answer[#answer + 1] = line[2]
  end
  return answer
end
