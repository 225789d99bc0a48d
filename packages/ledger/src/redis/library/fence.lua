-- The fence (reliability.md 2.4): is the epoch that is asked for the one that was opened here, with nothing changed but
-- by these functions? `lives` is this library's own memory: it ends with the server process, and a rollback of the keys
-- does not touch it. By the epoch key: id, number, changes, mirror (balance by pool key), ends (window end by pool key).
local lives = {}

-- fence(key, id, run, seen): the epoch as it stands, or nil. Refuses another id, another life of the server than the
-- epoch was opened in, a count of changes below one that the caller has seen (the keys were rolled back), and, where the
-- library's memory lasts, one that it does not remember. O(1).
local function fence(key, id, run, seen)
  local row = redis.call('HMGET', key, 'id', 'run', 'changes', 'closes', 'locals')
  if row[1] ~= id or row[2] ~= run then return nil end
  local changes = tonumber(row[3])
  if changes < tonumber(seen) then return nil end
  local epoch = { key = key, changes = changes, closes = tonumber(row[4]), live = nil }
  if row[5] == '1' then
    local live = lives[key]
    if not live or live.id ~= id or live.changes ~= changes then return nil end
    epoch.live = live
  end
  return epoch
end

-- changed(epoch): something was written. Every function that writes ends with it.
local function changed(epoch)
  epoch.changes = epoch.changes + 1
  redis.call('HSET', epoch.key, 'changes', plain(epoch.changes))
  if epoch.live then epoch.live.changes = epoch.changes end
end
