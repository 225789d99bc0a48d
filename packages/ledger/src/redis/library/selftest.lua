-- selftest: does this library's memory outlast a call? Redis does not promise it, and the fence stands on it.
-- flags: allow-oom
-- KEYS   epoch
-- ARGV   a random token
-- answer the token of the call before, or ''
-- touches nothing; O(1)
local probes = {}
local function selftest(keys, args)
  local before = probes[keys[1]] or ''
  probes[keys[1]] = args[1]
  return { before }
end
