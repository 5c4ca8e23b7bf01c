-- How far a connection to one place gets, by what tools or probes printed (dig, nc, openssl s_client, curl -v): name,
-- TCP, TLS; and the commands that tell it. A check that calls decide() declares net.dns, net.connect and net.tls as
-- optional needs.

local match = debrief.match

local reach = {}

-- COMMAND about the host at ADDRESS, "10.0.0.7:80" or "[::1]:80": openssl wants the brackets, nc and getent do not. As it
-- is when the address is none of a host and a port.
function reach.command(command, address)
  local host, port = (address or ""):match("^%[?([%w.:%%_-]+)%]?:(%d+)$")
  if not (command and host) then return command end
  local pair = (host:find(":", 1, true) and "[" .. host .. "]" or host) .. ":" .. port
  local values = { ["HOST:PORT"] = pair, HOST = host, PORT = port }
  if match(host, [[^[\d.]+$|:]]) then command = command:gsub(" %-servername HOST%f[%W]", "") end -- an address is no server name
  for _, token in ipairs { "HOST:PORT", "HOST", "PORT" } do
    command = command:gsub("%f[%w]" .. token .. "%f[%W]", function() return values[token] end)
  end
  return command
end

local function same(a, b) return a ~= nil and b ~= nil and a:lower():gsub("%.$", "") == b:lower():gsub("%.$", "") end

-- The last record of NAME about HOST and PORT; a port that is not told fits any.
local function last_of(ev, name, host, port, column)
  local found
  for record in ev:each(name) do
    local here = same(record[column], host) or column ~= "name" and same(record.address, host)
    if here and (column == "name" or not port or not record.port or record.port == tostring(port)) then found = record end
  end
  return found
end

-- RFC 3339 in UTC, compared as text.
local function now_text(ev)
  local at = math.floor(ev:now())
  local days, rest = at // 86400, at % 86400
  local z = days + 719468
  local era = z // 146097
  local of_era = z - era * 146097
  local of_cycle = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
  local of_year = of_era - (365 * of_cycle + of_cycle // 4 - of_cycle // 100)
  local mp = (5 * of_year + 2) // 153
  local month = mp < 10 and mp + 3 or mp - 9
  local year = of_cycle + era * 400 + (month <= 2 and 1 or 0)
  return string.format("%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, of_year - (153 * mp + 2) // 5 + 1, rest // 3600, rest % 3600 // 60, rest % 60)
end

local function covers(names, host)
  for name in (names or ""):gmatch("[^,%s]+") do
    name = name:gsub("^DNS:", ""):gsub("^IP Address:", ""):lower()
    local suffix = name:match("^%*(%..+)$")
    if name == host:lower() or suffix and host:lower():match("^[^.]+(.*)$") == suffix then return true end
  end
  return false
end

-- What the certificate itself says: nil when its dates and names fit, or are not told.
local function of_certificate(ev, host, tls)
  local now = now_text(ev)
  if tls.expires and tls.expires < now then
    return "tls-expired", "the certificate that was shown ended on " .. tls.expires:sub(1, 10)
  elseif tls.valid_from and tls.valid_from > now then
    return "clock-skew", "the certificate that was shown begins on " .. tls.valid_from:sub(1, 10)
  elseif tls.names and host:match("%a") and not covers(tls.names, host) then
    return "tls-name-mismatch", "the certificate that was shown is for " .. tls.names
  end
  return nil
end

-- OpenSSL's verify results. Whether the authority is trusted is the tool's store's opinion, not the proxy's.
local VERIFY = { ["9"] = "clock-skew", ["10"] = "tls-expired", ["62"] = "tls-name-mismatch", ["64"] = "tls-name-mismatch" }
local FAILS = {
  { "client-certificate-refused", [[(?i)alert (bad certificate|unknown ca|certificate required|handshake failure.*certificate)|certificate required]] },
  { "protocol-mismatch", [[(?i)wrong version number|http request|packet length too long|record layer failure|unknown protocol|no shared cipher|alert (handshake failure|protocol version)|no application protocol]] },
}

local function of_tls(ev, host, tls)
  local slug, why = of_certificate(ev, host, tls)
  if slug then return slug, why end
  local verified = VERIFY[tls.verify_code or ""]
  if verified then return verified, "the handshake was verified with: " .. (tls.verify_error or "code " .. tls.verify_code) end
  -- A probe has no certificate to present: that it is refused for that says nothing of the proxy's.
  local without = tls.tool == "probe" and tls.client_certificate == "yes"
  if tls.result == "failed" and not without then
    for _, row in ipairs(FAILS) do
      if match(tls.error, row[2]) then return row[1], "the handshake failed with: " .. tls.error end
    end
  end
  return nil
end

local function of_dns(dns)
  if dns.status == "NXDOMAIN" then return "dns-failed", "the resolver says that the name does not exist" end
  if dns.status == "NOERROR" and (dns.addresses or "") == "" then return "dns-failed", "the name has no address" end
  if dns.status == "SERVFAIL" or dns.status == "timeout" or dns.status == "refused" then
    return "dns-unreachable", "the resolver answers with " .. dns.status
  end
  return nil
end

local function of_connect(connect)
  if connect.result == "refused" then return "refused", "a connection that was tried by hand is refused" end
  if connect.result == "timeout" or connect.result == "unreachable" then
    return "timeout", "a connection that was tried by hand ends in " .. connect.result
  end
  return nil
end

-- The first step that fails: slug of ems-connection, sentence, record. Else nil, and what is known to be well:
-- { dns, connect, tls } as records.
function reach.decide(ev, host, port)
  local well = {}
  if not host then return nil, nil, nil, well end
  local dns = last_of(ev, "net.dns", host, nil, "name")
  local connect, tls = last_of(ev, "net.connect", host, port, "host"), last_of(ev, "net.tls", host, port, "host")
  local slug, why
  if tls then -- it got further than the other two: they are older, or went another way
    slug, why = of_tls(ev, host, tls)
    if slug then return slug, why, tls, well end
    if tls.result == "ok" then well.tls = tls end
    if tls.result == "ok" or tls.verify_code then well.connect, well.dns = connect or tls, dns or tls end
  end
  if not well.tls and dns then
    slug, why = of_dns(dns)
    if slug then return slug, why, dns, well end
    if dns.addresses then well.dns = dns end
  end
  if not well.tls and connect then
    slug, why = of_connect(connect)
    if slug then return slug, why, connect, well end
    if connect.result == "connected" then well.connect, well.dns = connect, well.dns or connect end
  end
  well.certificate = tls and tls.expires and tls.valid_from and tls or nil
  well.failed_tls = tls and tls.result == "failed" and tls or nil
  return nil, nil, nil, well
end

local CONTROL_PLANE = [[(?i)istiod|istio-pilot|discovery|\bxds\b|consul|contour|control-?plane|envoy-gateway|envoy-management|kuma|gloo]]

-- The one management server that somebody looked at, by its name; nil when none or several have such a name.
function reach.server(ev)
  local host, port
  for _, row in ipairs { { "net.dns", "name" }, { "net.connect", "host" }, { "net.tls", "host" } } do
    for record in ev:each(row[1]) do
      local name = record[row[2]]
      if name and match(name, CONTROL_PLANE) then
        if host and host ~= name then return nil end
        host, port = name, port or row[1] ~= "net.dns" and record.port or nil
      end
    end
  end
  return host, port
end

return reach
