-- beat: a server is alive and sees so many proxies; tells how many all live servers see together.
-- flags: allow-oom
-- KEYS   servers
-- ARGV   server, proxies ('': it has gone), milliseconds after which a silent server does not count
-- answer beat <proxies>
-- touches servers (HASH: "<time> <proxies>" by server); O(servers)
local function beat(keys, args)
  local at = now()
  if args[2] == '' then
    redis.call('HDEL', keys[1], args[1])
  else
    redis.call('HSET', keys[1], args[1], plain(at) .. ' ' .. args[2])
  end
  local fields, total = redis.call('HGETALL', keys[1]), 0
  for n = 1, #fields, 2 do
    local seen, proxies = string.match(fields[n + 1], '^(%d+) (%d+)$')
    if seen and at - tonumber(seen) < tonumber(args[3]) then
      total = total + tonumber(proxies)
    else
      redis.call('HDEL', keys[1], fields[n])
    end
  end
  return { 'beat', plain(at), '0', plain(total) }
end
