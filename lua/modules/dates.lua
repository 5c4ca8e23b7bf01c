-- Dates, and the time that evidence was taken, to hold them against. now() reads `certs` and `log`, which a check that calls
-- it declares as optional needs.

local dates = {}

-- Seconds since the epoch of an RFC 3339 time, in UTC unless it names an offset, or of a number, which saved answers of SDKs
-- have instead; nil when it is neither.
function dates.seconds(text)
  local number = tonumber(text or "")
  if number then return number end
  local year, month, day, hour, minute, second, rest = (text or ""):match("^(%d%d%d%d)-(%d%d)-(%d%d)T(%d%d):(%d%d):([%d.]+)(.*)$")
  if not year then return nil end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  local y = month <= 2 and year - 1 or year
  local of_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
  local days = (y // 400) * 146097 + (y % 400) * 365 + (y % 400) // 4 - (y % 400) // 100 + of_year - 719468
  local sign, hours, minutes = rest:match("^([+-])(%d%d):?(%d%d)")
  local offset = sign and (tonumber(hours) * 3600 + tonumber(minutes) * 60) * (sign == "-" and -1 or 1) or 0
  return days * 86400 + tonumber(hour) * 3600 + tonumber(minute) * 60 + (tonumber(second) or 0) - offset
end

-- When the evidence was taken, as { low, high }: not before low, not after high. Live it is one moment. For files it lies
-- between the last line of a log and the time of reading, and a certificate that had N whole days left tells the day.
function dates.now(ev)
  local high, asked = ev:now()
  local now = { low = asked and high or 0, high = high, asked = asked }
  if asked then return now end
  for record in ev:each("log") do
    local last = dates.seconds(record.last)
    if last and last <= high then now.low = math.max(now.low, last) end
  end
  for record in ev:each("certs") do
    local days, ends, begins = ev:number(record, "days"), dates.seconds(record.expires), dates.seconds(record.valid_from)
    if days and days > 0 and ends and begins and begins < ends then -- else a date beyond 2038 in an old Envoy's hands
      now.high = math.min(now.high, ends - days * 86400)
      now.low = math.max(now.low, math.min(ends - (days + 1) * 86400, now.high))
    end
  end
  now.low = math.min(now.low, now.high)
  return now
end

-- "3 days", "30 hours", "12 minutes": a span in words.
function dates.span(seconds)
  for _, unit in ipairs { { 86400, "day", 2 }, { 3600, "hour", 1 }, { 60, "minute", 1 } } do
    local count = seconds // unit[1]
    if count >= unit[3] then return string.format("%d %s%s", count, unit[2], count == 1 and "" or "s") end
  end
  return "less than a minute"
end

return dates
