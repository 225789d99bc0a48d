-- Replies remembered for an instance, in its HASH: <kind><seq> = "<asked> <reply>", <kind>high = the highest sequence
-- number answered. `asked` is a digest without a space. Numbers `size` behind the highest are forgotten, and refused.

-- find_reply(...): the reply given before, or false and, where it cannot be answered, why.
local function find_reply(key, kind, seq, asked, size)
  local kept = redis.call('HGET', key, kind .. seq)
  if kept then
    local space = string.find(kept, ' ', 1, true)
    if string.sub(kept, 1, space - 1) ~= asked then return false, 'seq_reused' end
    return string.sub(kept, space + 1)
  end
  local high = tonumber(redis.call('HGET', key, kind .. 'high') or '0')
  if tonumber(seq) <= high - size then return false, 'seq_too_old' end
  return false
end

-- keep_reply(...): O(1) for numbers in a row; a jump forgets at most `size`.
local function keep_reply(key, kind, seq, asked, reply, size)
  local number = tonumber(seq)
  local high = tonumber(redis.call('HGET', key, kind .. 'high') or '0')
  redis.call('HSET', key, kind .. seq, asked .. ' ' .. reply)
  if number <= high then return end
  redis.call('HSET', key, kind .. 'high', seq)
  local oldest = high - size
  for gone = math.max(1, oldest + 1), math.min(number - size, oldest + size) do
    redis.call('HDEL', key, kind .. plain(gone))
  end
end
