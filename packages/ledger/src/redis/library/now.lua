-- now(): the time that chooses windows, in milliseconds UTC: the server's own, never a client's.
-- One clock for all who share the pool, so that no machine's clock can move money between windows.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
