-- Amounts are whole numbers of a counter's unit, and Lua's numbers are doubles: exact up to 2^53 - 1, and refused above.
local MAX_AMOUNT = 9007199254740991

-- whole(text): the number that an argument or a field says.
local function whole(text)
  local number = string.match(text, '^%-?%d+$') and tonumber(text)
  if not number or number > MAX_AMOUNT or number < -MAX_AMOUNT then
    error({ err = 'TOLLGATE not an amount' })
  end
  return number
end

-- exact(number): a result, refused where it may have been rounded.
local function exact(number)
  if number > MAX_AMOUNT or number < -MAX_AMOUNT then error({ err = 'TOLLGATE not an amount' }) end
  return number
end

-- plain(number): as digits. Lua's own conversion would write large ones with an exponent.
local function plain(number)
  return string.format('%.0f', number)
end

-- part(number, of): number / of, rounded down. math.fmod is exact; Lua 5.1's % is not, nor is a quotient's floor.
local function part(number, of)
  return (number - math.fmod(number, of)) / of
end
