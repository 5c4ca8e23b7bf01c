-- xDS streams and how they end, as the log and the counters tell: for every check that judges close lines. A check
-- that calls read() declares log.xds_closed, and optionally log, log.start, log.stop, log.workers_started,
-- log.config_rejected, log.xds_answered, bootstrap, proxy, stats{*control_plane.connected_state},
-- stats{cluster_manager.cds.update_*}, stats{listener_manager.lds.update_*}, stats{grpc.*.streams_total}, and an
-- event of its own named "google" with the pattern GOOGLE.

local match = debrief.match

local xds = {}

-- A line that only google_grpc prints (at level debug).
xds.GOOGLE = [[notifyRemoteClose]]

-- What a ping that is too early is answered with.
xds.KEEPALIVE = [[too many pings|enhance your calm]]

-- The first row that matches names the cause. Texts are lower case, '_' read as a blank.
xds.CAUSES = {
  { "keepalive-mismatch", xds.KEEPALIVE },
  { "client-certificate-refused",
    [[alert (bad certificate|certificate (unknown|expired|revoked|required)|unknown ca|access denied|unsupported certificate)|remote error: tls: (bad certificate|certificate required|unknown certificate|expired certificate|revoked certificate)]] },
  { "clock-skew", [[certificate is not yet valid|current time \S+ is before]] },
  { "tls-expired", [[certificate has expired(?! or is not yet valid)|current time \S+ is after]] },
  { "tls-name-mismatch", [[san matcher|certificate is valid for .*, not |ip sans|not valid for any names|cannot validate certificate for|hostname mismatch]] },
  { "tls-untrusted", [[unable to get (local )?issuer certificate|self[- ]signed certificate|signed by unknown authority|unable to verify the first certificate]] },
  { "tls-unverified", [[certificate verify failed|certificate has expired or is not yet valid|x509:]] },
  { "protocol-mismatch",
    [[wrong version number|http request|first record does not look like a tls handshake|packet length too long|oversized record|no shared cipher|no application protocol|unsupported protocol|alert (handshake failure|protocol version|no application protocol)|reset reason: protocol error|server preface|frame too large]] },
  { "xds-cluster-overflow", [[reset reason: overflow|\{overflow\}]] },
  -- Go names the address once it has one: "dial tcp: i/o timeout" ran out of time while the name was looked up.
  { "dns-unreachable",
    [[dial tcp: i/o timeout|lookup \S+( on \S+)?: .*(i/o timeout|connection refused|no route to host|network is unreachable|operation not permitted)|lookup \S+( on \S+)?: i/o timeout|server misbehaving|temporary failure in name resolution|contact(ing)? dns servers]] },
  { "dns-failed", [[no such host|name or service not known|domain name not found|dns resolution failed|no address associated with hostname|could not resolve host]] },
  { "relay-stopped", [[dial unix .*(connection refused|no such file or directory)|delayed connect error: no such file or directory|immediate connect error: no such file or directory]] },
  { "refused", [[connection refused|connect error: 111\b]] },
  { "timeout", [[connection timeout|i/o timeout|connection timed out|connect error: (110|113|101)\b|no route to host|network is unreachable|handshake timeout|context deadline exceeded]] },
  { "termination", [[reset reason: connection termination|\{connection termination\}]] },
  { "no-host", [[no healthy upstream]] },
}

-- Text before code: the first row that matches decides, whatever the code is.
xds.TEXTS = {
  -- The proxy's own version: envoy-image's to name.
  { "version", [[\benvoy( proxy)?( version)?:? "?v?\d+\.[\d.]+"?,? (is )?(too old|not supported|no longer supported|unsupported)|(unsupported|incompatible) envoy( proxy)? version]] },
  { "message-too-large", [[larger than max|message (is )?too (large|big)|exceed\w* .*(message|frame) size]] },
  { "permission-denied", [[(unauthorized|not authorized) to perform|is not authorized to access]] },
  { "no-credentials", [[missing authentication token|no (valid )?credentials|credentials (were )?not (found|provided)]] },
  { "resource-not-found", [[\bsecrets? \S+ (was )?not found]] },
  { "identity-rejected", [[\btoken\b|acl not found|acl: |authentication (failed|failure)|authenticate failure|failed to get root cert|failed to generate secret|signature|client (identity|certificate)]] },
  { "resource-not-found", [[\b(dataplane|data plane|proxy|node|resource|service|mesh|virtual ?(node|gateway)|workload|network|requested entity)\b.{0,200}\b(not found|does not exist|doesn't exist|no longer exists)\b]] },
  { "node-id-invalid", [[missing parts in the service node|(invalid|malformed|empty|missing|unexpected|parse|required?)\b.*\bnode\b|\bnode( id|\.id)?\b.*\b(invalid|malformed|empty|missing|required|must)\b]] },
  { "quota-exceeded", [[too many (xds )?(streams|connections|clients|requests|envoys)|quota|limit (is )?exceeded|rate exceeded]] },
  { "unimplemented", [[not implemented|unimplemented|unknown (service|method)|method not found]] },
  { "deadline-exceeded", [[deadline exceeded]] },
}

-- Meshes that give proxies tokens of their own: AWS has no part in who they are.
xds.OWN_TOKENS = { istio = true, consul = true, kuma = true, contour = true, ["envoy-gateway"] = true, gloo = true, cilium = true }

-- Texts of the transport, not of the server.
local LINK = [[reset reason:|upstream connect error|upstream reset before response|no healthy upstream|connection error: desc|error while dialing|dial (tcp|unix) |lookup \S+( on \S+)?:|failed to connect to |dns resolution|name resolution|connection (refused|timed out|timeout|reset by peer)|i/o timeout|x509:|tls error|tls handshake|no such host|socket closed|secret is not supplied|ssl handshake failed|handshaker? (failed|shutdown)|backends failing]]
local CLOSED_LATER = [[closing transport|error reading from server|prior goaway|transport is closing]]
local LINK_CODES = { [1] = true, [2] = true, [4] = true, [13] = true, [14] = true }

-- RFC 3339 in UTC to seconds: logs tell their first and last time as text.
function xds.seconds(text)
  local y, m, d, h, min, s = (text or ""):match("^(%d+)-(%d+)-(%d+)T(%d+):(%d+):([%d.]+)")
  if not y then return 0 end
  y, m, d = tonumber(y), tonumber(m), tonumber(d)
  if m <= 2 then y, m = y - 1, m + 12 end
  local days = 365 * y + y // 4 - y // 100 + y // 400 + (153 * (m - 3) + 2) // 5 + d - 719469
  return days * 86400 + tonumber(h) * 3600 + tonumber(min) * 60 + tonumber(s)
end

-- ---- close lines ----

-- "TEXT{DETAILS}" or bare details: Envoy says in the details who spoke, via_upstream being the peer.
local function split(rest)
  local details = rest:match("(%b{})%s*$") or ""
  local text = rest:sub(1, #rest - #details):gsub("%s+$", "")
  if text:match("^[%l_]+$") and text:find("_", 1, true) then return "", text .. details end
  return text, details
end

-- `plain` is what rules are matched with: lower case, '_' read as a blank.
local function read_close(ev, record)
  local rest = (record.rest or ""):gsub("%s*thread=%d+%s*$", ""):gsub("%s*%(previously .*$", ""):gsub('["%s,]+$', "")
  local text, details = split(rest)
  local plain = (text .. " " .. details):lower():gsub("_", " "):gsub("^%s+", ""):gsub("%s+$", "")
  return { record = record, code = ev:number(record, "code"), time = ev:time(record), peer = record.peer,
    method = record.method or "", rest = rest, text = text, details = details, plain = plain,
    by_peer = plain:find("via upstream", 1, true) ~= nil }
end

-- Whether the close is the transport's word: ems-connection's to judge. grpc-codes judges the others.
function xds.of_link(close)
  if not LINK_CODES[close.code] then return false end
  if match(close.plain, xds.KEEPALIVE) then return true end
  if match(close.plain, CLOSED_LATER) then return false end
  if close.by_peer and not match(close.plain, [[desc =|dial |lookup ]]) then return false end
  return match(close.plain, LINK) ~= nil
end

-- google_grpc reports every link that did not come about as 13 without a word.
function xds.of_google(close, group) return close.code == 13 and close.plain == "" and group.google end

-- ---- servers, and one group of closes per server and method: what happens to one stream ----

local function read_servers(ev)
  local servers = {}
  for record in ev:each("bootstrap") do
    if record.client and record.client ~= "path" then servers[#servers + 1] = record end
  end
  return servers
end

-- One name per management server.
local function server_of(servers, peer)
  for _, server in ipairs(servers) do
    if peer and (server.target == peer or server.address == peer) then return server.address or peer, server end
  end
  if peer then return peer end
  local only = servers[1]
  for _, server in ipairs(servers) do
    if server.target ~= only.target then return "xds server" end
  end
  return only and (only.address or only.target) or "xds server", only
end

-- Whether the stream goes through google_grpc: the bootstrap says it, or a peer that is an address.
local function is_google(server, peer, seen)
  if server then return server.client == "google_grpc" end
  if peer then return peer:match(":%d+$") ~= nil or peer:match("^unix:") ~= nil end
  return seen
end

local function google_was_seen(ev, mesh)
  if mesh == "appmesh" or ev:count("event.google") > 0 then return true end
  for record in ev:each("stats") do
    if (record.name or ""):match("^grpc%..*%.streams_") then return true end
  end
  return false
end

local function groups_of(ev, servers, mesh)
  local groups, by_key, google_seen = {}, {}, google_was_seen(ev, mesh)
  for record in ev:each("log.xds_closed") do
    local close = read_close(ev, record)
    local name, server = server_of(servers, close.peer)
    local key = name .. "\n" .. close.method
    local group = by_key[key]
    if not group then
      group = { name = name, shown = name == "xds server" and "the management server" or name, server = server, mesh = mesh,
        closes = {}, google = is_google(server, close.peer, google_seen) }
      by_key[key], groups[#groups + 1] = group, group
    end
    group.closes[#group.closes + 1] = close
  end
  for _, group in ipairs(groups) do
    group.count = #group.closes
    if #groups == 1 then group.count = math.max(group.count, ev:count("log.xds_closed")) end
  end
  return groups
end

-- ---- the link, and what happened around the closes ----

-- What the counters say: connected now, ever configured, when last.
local function read_link(ev)
  local link = { updated = 0 }
  for record in ev:each("stats") do
    local name, value = record.name, ev:number(record, "value")
    if name and value then
      if name:match("control_plane%.connected_state$") then
        link.connected = math.max(link.connected or 0, value)
      elseif name == "cluster_manager.cds.update_success" or name == "listener_manager.lds.update_success" then
        link.ok = (link.ok or 0) + value
      elseif name:match("%.update_time$") then
        link.updated = math.max(link.updated, value / 1000)
      end
    end
  end
  link.up = (link.connected or 0) >= 1 and (link.ok or 0) > 0
  return link
end

local function latest(ev, time, name)
  for record in ev:each(name) do time = math.max(time, ev:time(record) or 0) end
  return time
end

-- An answer proves that the server takes the proxy; that an agent "connected" proves no more than the link.
local function read_answers(ev)
  local success, linked = latest(ev, 0, "log.config_rejected"), 0
  for record in ev:each("log.xds_answered") do
    local time = ev:time(record) or 0
    if record.type then success = math.max(success, time) else linked = math.max(linked, time) end
  end
  return success, math.max(success, linked)
end

-- When something last proved that the server answers, when the logs begin, when the proxy started and was told to stop.
local function read_marks(ev)
  local success, linked = read_answers(ev)
  local marks = { success = success, linked = linked, begins = math.huge, stops = {} }
  for record in ev:each("log") do
    if record.first then marks.begins = math.min(marks.begins, xds.seconds(record.first)) end
  end
  marks.started = latest(ev, 0, "log.start")
  for record in ev:each("log.stop") do
    local step = record.step or ""
    if (step:match("SIG") or step:match("^Agent drain") or step:match("^Graceful")) and ev:time(record) then marks.stops[#marks.stops + 1] = ev:time(record) end
  end
  return marks
end

-- Everything of the above: { proxy, servers, link, marks, groups }.
function xds.read(ev)
  local proxy, servers, marks = ev:first("proxy"), read_servers(ev), read_marks(ev)
  local groups = groups_of(ev, servers, proxy and proxy.mesh)
  for _, group in ipairs(groups) do group.marks = marks end
  return { proxy = proxy, servers = servers, link = read_link(ev), marks = marks, groups = groups }
end

-- ---- agents ----

-- A line in which an agent between Envoy and the real server (or that server itself: ADS) tells how a call ended. A
-- check that calls agents() declares an event of its own named "agent" with this pattern, and what read() wants.
xds.AGENT = [[\b(?<who>xdsproxy|citadelclient|sds|consul-dataplane[\w.-]*|ADS)\b[^\n]{0,240}rpc error: code = (?<code>[A-Z][A-Za-z]+) desc = ]]

local CODE_NAMES = { Canceled = 1, Unknown = 2, InvalidArgument = 3, DeadlineExceeded = 4, NotFound = 5, PermissionDenied = 7,
  ResourceExhausted = 8, Unimplemented = 12, Internal = 13, Unavailable = 14, Unauthenticated = 16 }

-- What agents tell of their own link, as closes, as far as it lasts; nothing where Envoy's own close lines speak.
function xds.agents(ev, stream)
  local told = {}
  if ev:count("log.xds_closed") > 0 then return told end
  for record in ev:each("event.agent") do
    local text = record.rest or ""
    local close = { record = record, code = CODE_NAMES[record.code] or -1, time = ev:time(record), who = record.who,
      rest = text, text = text, details = "", plain = text:lower():gsub("_", " ") }
    if not xds.is_recovered(ev, close, stream.link, stream.marks) then told[#told + 1] = close end
  end
  return told
end

-- ---- judging ----

-- Distinct moments of closing, seconds: streams that end together are one beat.
function xds.beats_of(closes)
  local beats = {}
  for _, close in ipairs(closes) do
    if not close.time then return {} end
    if #beats == 0 or close.time - beats[#beats] > 2 then
      beats[#beats + 1] = close.time
    end
  end
  return beats
end

-- A fault is tried again within Envoy's back-off of at most 30 s: streams that live for minutes, each as long as the
-- other, are ended by a rule (a maximum age, an idle limit on the way), not by a fault. A beat of two or three minutes may be
-- pings that come too early for the server.
local BEAT_MIN, BEAT_GAPS, BEAT_EVEN = 240, 3, 1.05

local function is_even_beat(beats)
  local shortest, longest = math.huge, 0
  for i = #beats, math.max(2, #beats - BEAT_GAPS + 1), -1 do
    local gap = beats[i] - beats[i - 1]
    shortest, longest = math.min(shortest, gap), math.max(longest, gap)
  end
  return #beats > BEAT_GAPS and shortest >= BEAT_MIN and longest <= shortest * BEAT_EVEN
end

-- Each stream lived for at least LONGEST seconds, or they end at an even beat: the server's maximum connection age, not a
-- fault that is retried.
function xds.is_rotation(group, longest)
  local beats = xds.beats_of(group.closes)
  if #beats < 2 then return false end
  if group.count <= #group.closes and is_even_beat(beats) then return true end
  for i = 2, #beats do
    if beats[i] - beats[i - 1] < longest then return false end
  end
  return (beats[#beats] - beats[1]) / math.max(1, group.count - 1) >= longest / 4
end

function xds.during_shutdown(close, marks)
  for _, stop in ipairs(marks.stops) do
    if close.time and close.time >= stop - 1 and close.time <= stop + 10 then return true end
  end
  return false
end

-- When the log that holds TIME ends; another log that goes on proves nothing.
local function log_end(ev, time)
  local ends = 0
  for record in ev:each("log") do
    local covers = record.shape ~= "log.access" and xds.seconds(record.first) <= time and time < xds.seconds(record.last) + 1
    if covers then ends = math.max(ends, xds.seconds(record.last)) end
  end
  return ends
end

-- The server's own no, which a link that comes about again does not take back.
local function is_refusal(close)
  if xds.of_link(close) then return false end
  for _, row in ipairs(xds.TEXTS) do
    if match(close.plain, row[2]) then return true end
  end
  return close.code == 3 or close.code == 5 or close.code == 7 or close.code == 16
end

-- Something after CLOSE shows that the stream came back.
function xds.is_recovered(ev, close, link, marks)
  local time = close.time
  if not time then return link.up end
  if marks.success > time or link.updated > time then return true end
  if marks.linked > time and (not is_refusal(close) or log_end(ev, time) - marks.linked > 60) then return true end
  if link.up and ev:now() - time > 60 then return true end
  return log_end(ev, time) - time > 600
end

-- A log that shows a start and not its end acquits nobody: Envoy keeps failed tries to itself for half a minute.
function xds.ask_while_starting(ev, link, proxy)
  local begun, ready
  for record in ev:each("log.start") do
    if record.step == "initializing epoch" then begun = record end
  end
  for record in ev:each("log.workers_started") do ready = record end
  local over = begun and ready and (ev:time(ready) or 0) >= (ev:time(begun) or 0)
  if begun and not over and not link.ok and not (proxy and proxy.state == "LIVE") then
    ev:ask { evidence = "stats", why = "the log begins with a start that has not come to its end, too early to tell: Envoy logs a try that it repeats only after about 30 s",
      how = "curl -s http://ADMIN/stats > stats.txt; or the log of the next minute: @log@" }
  end
end

return xds
