-- open: begins an epoch with nothing in it. Its maker asks once; asked again it changes nothing.
-- KEYS   epoch
-- ARGV   id, number, run id of the server, '1' where the library's memory lasts else '0'
-- answer opened | newer <number> | lost
-- touches the epoch key and this library's memory; O(1)
-- Atomic, since two who each opened would each believe in an empty pool of their own.
local function open(keys, args)
  local key, id, number = keys[1], args[1], tonumber(args[2])
  local row = redis.call('HMGET', key, 'id', 'number')
  local live = lives[key]
  local answer
  if row[1] == id then
    answer = fence(key, id, args[3], '0') and 'opened' or 'lost'
  elseif live and live.id == id then
    answer = 'lost'
  else
    local known = math.max(tonumber(row[2] or '0'), live and live.number or 0)
    if number <= known then return { 'newer', plain(now()), '0', plain(known) } end
    redis.call('DEL', key)
    redis.call('HSET', key, 'id', id, 'number', args[2], 'run', args[3], 'locals', args[4], 'changes', '0', 'closes', '0')
    lives[key] = { id = id, number = number, changes = 0, mirror = {}, ends = {} }
    answer = 'opened'
  end
  return { answer, plain(now()), '0' }
end
