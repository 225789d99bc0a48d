-- admit: lets an instance lease, or asks whether it may.
-- KEYS   epoch, members
-- ARGV   id, run, seen, instance, closes ('': only ask)
-- answer admitted | stranger <closes> | epoch
-- touches members (SET of instances); O(1)
-- Let in only where nobody closed since `closes` was told: who closes and who lets in need no lock between them.
local function admit(keys, args)
  local epoch = fence(keys[1], args[1], args[2], args[3])
  if not epoch then return { 'epoch', plain(now()), '0' } end
  if redis.call('SISMEMBER', keys[2], args[4]) == 0 then
    if args[5] == '' or tonumber(args[5]) ~= epoch.closes then
      return { 'stranger', plain(now()), plain(epoch.changes), plain(epoch.closes) }
    end
    redis.call('SADD', keys[2], args[4])
    changed(epoch)
  end
  return { 'admitted', plain(now()), plain(epoch.changes) }
end
