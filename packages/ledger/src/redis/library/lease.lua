-- lease: takes from every counter of an acquisition, or from none.
-- KEYS   epoch, members, instance, counter 1 .. n
-- ARGV   id, run, seen, instance, seq, asked (digest), live proxies, replies kept,
--        then for each counter: name, window id, window start, window end ('': never), max, need, prefer
-- answer granted <reply> <'1': told again> then for each counter, unless told again: balance, last block
--        short, then each balance | window | lowered, then the positions from 0 | stranger <closes>
--        seq_reused | seq_too_old | epoch
--        reply: JSON list of [window id, start, end, amount, left], by counter
-- touches the counters (HASH), the instance (HASH: g:<name> given, l<seq> replies); O(counters)
-- Atomic, since a call needs all its counters or none, and a retry must get what the first try got.
local LINE = 7
local function lease(keys, args)
  local epoch = fence(keys[1], args[1], args[2], args[3])
  local at = now()
  if not epoch then return { 'epoch', plain(at), '0' } end
  local changes = plain(epoch.changes)
  if redis.call('SISMEMBER', keys[2], args[4]) == 0 then
    return { 'stranger', plain(at), changes, plain(epoch.closes) }
  end
  local seq, asked, size = args[5], args[6], tonumber(args[8])
  local before, why = find_reply(keys[3], 'l', seq, asked, size)
  if before then return { 'granted', plain(at), changes, before, '1' } end
  if why then return { why, plain(at), changes } end

  local lines = {}
  for n = 1, #keys - 3 do
    local from = 8 + (n - 1) * LINE
    local line = {
      name = args[from + 1], window = args[from + 2], starts = args[from + 3], ends = args[from + 4],
      max = whole(args[from + 5]), need = whole(args[from + 6]), prefer = whole(args[from + 7]),
    }
    if at < tonumber(line.starts) or (line.ends ~= '' and at >= tonumber(line.ends)) then
      return { 'window', plain(at), changes }
    end
    lines[n] = line
  end

  local lowered = { 'lowered', plain(at), changes }
  local balances = { 'short', plain(at), changes }
  local short = false
  for n, line in ipairs(lines) do
    local counter = read_counter(epoch, keys[3 + n], at)
    if counter == nil then return { 'epoch', plain(at), '0' } end
    line.counter = counter
    local balance = counter and counter.balance or 0
    -- Filled under a higher limit; or more is out than this one allows, and what came back is a part of that.
    if counter and (counter.max > line.max or (balance > 0 and counter.free + line.max < counter.max)) then
      lowered[#lowered + 1] = tostring(n - 1)
    end
    balances[#balances + 1] = plain(balance)
    if balance < line.need then short = true end
  end
  if #lowered > 3 then return lowered end
  if short then return balances end

  -- Within this proxy's share of half the pool, but never less than it needs (design 4.6).
  local proxies = math.max(1, tonumber(args[7]))
  local reply, answer = {}, { 'granted', plain(at), '', '', '0' }
  for n, line in ipairs(lines) do
    local counter, amount, left = line.counter, 0, line.max
    if counter then
      amount = math.max(line.need, math.min(line.prefer, part(counter.balance, 2 * proxies)))
      counter.balance = counter.balance - amount
      counter.out = exact(counter.out + amount)
      left = math.max(0, counter.free + counter.balance - counter.max + line.max)
    end
    line.amount = amount
    reply[n] = { line.window, line.starts, line.ends, plain(amount), plain(left) }
    answer[#answer + 1] = plain(counter and counter.balance or 0)
    answer[#answer + 1] = plain(counter and counter.block or 0)
  end
  for _, line in ipairs(lines) do
    if line.counter then
      write_counter(epoch, line.counter)
      redis.call('HINCRBY', keys[3], 'g:' .. line.name, plain(line.amount))
    end
  end
  local text = #reply == 0 and '[]' or cjson.encode(reply)
  keep_reply(keys[3], 'l', seq, asked, text, size)
  changed(epoch)
  answer[3] = plain(epoch.changes)
  answer[4] = text
  return answer
end
