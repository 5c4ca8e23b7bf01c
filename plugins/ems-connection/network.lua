-- What tools and settings around the proxy tell of its way to the management server: DNS, TCP and TLS tried by hand where
-- neither close lines nor counters have the word, redirect rules that catch the proxy's own traffic, and packets that
-- vanish for their size. Says nothing while the link is up.

local match, xds, reach = debrief.match, debrief.use "xds_stream", debrief.use "reach"

local SMALL, LARGE = 700, 1200 -- bytes of a ping that any path takes, and of one that a tunnel may not

-- ---- where, and whether it fails ----

local function is_vague(group)
  local last = group.closes[#group.closes]
  return last ~= nil and xds.of_google(last, group)
end

-- { name, host, port, vague, failing }: the server, and what is known of the link to it.
local function read_place(ev)
  local stream = xds.read(ev)
  local place = { known = stream.link.connected ~= nil }
  for _, group in ipairs(stream.groups) do
    local last = group.closes[#group.closes]
    if not xds.is_recovered(ev, last, stream.link, stream.marks) and not xds.during_shutdown(last, stream.marks) then
      place.failing, place.group = true, group
      place.name, place.vague = place.name or group.name, place.vague or is_vague(group)
    end
  end
  local server = stream.servers[1]
  place.name = place.name or server and (server.address or server.target)
  place.host, place.port = (place.name or ""):match("^(.+):(%d+)$")
  if not place.host then place.host, place.port = reach.server(ev) end
  if not place.name and place.host then place.name = place.port and place.host .. ":" .. place.port or place.host end
  place.failing = place.failing or stream.link.connected == 0 and not stream.link.up
  place.up = stream.link.up or not place.failing and stream.marks.success > 0
  return place
end

local function report(ev, place, slug, format, ...)
  return ev:report("ems-connection." .. slug, "xds-server", place.name or "xds server", format, ...)
end

-- ---- by hand, where nothing else speaks ----

local STEPS = {
  ["dns-failed"] = "correct the name in the bootstrap, or create the record (private DNS of the interface endpoint, "
    .. "the Service)",
  ["dns-unreachable"] = "see which resolver the proxy asks (/etc/resolv.conf) and whether it answers; open port 53 to it",
  ["refused"] = "see whether the management server runs and listens on that port",
  ["timeout"] = "open the way to the server: route, security group, network policy, firewall",
  ["tls-expired"] = "renew the certificate of the management server, and have the server load it",
  ["clock-skew"] = "compare both clocks with a reference; correct the one that is wrong",
  ["tls-name-mismatch"] = "connect by a name that the certificate holds, or issue one for the name that is used",
  ["protocol-mismatch"] = "make both sides agree on TLS or plain text, and on HTTP/2",
  ["client-certificate-refused"] = "look at the dates and issuer of the proxy's own certificate; have the server trust it",
}

local function judge_by_hand(ev, place)
  if place.up or ev:count("log.xds_closed") > 0 or place.known then return end -- theirs to judge
  local slug, why, record = reach.decide(ev, place.host, place.port)
  if not slug then return end
  report(ev, place, slug, "%s cannot be reached: %s", place.name, why)
    :cite(record):confidence("likely"):advise(STEPS[slug])
  ev:ask { evidence = "admin/stats.txt",
    why = "whether the proxy itself fails in the same way: connected_state and update_success tell",
    how = "curl -s http://ADMIN/stats" }
end

-- ---- the proxy's own traffic, redirected ----

-- One packet, from Envoy to its server, is led through the rules as the kernel would: { uid, gid, port, addresses }.

local function envoy_process(ev)
  for record in ev:each("host.process") do
    if match(record.name or "", [[^envoy]]) and tonumber(record.uid) then return record end
  end
  return nil
end

-- Whether VALUE is among "1337", "22,443", "0-99", "{ 22, 443 }"; nil where the text holds names.
local function is_among(text, value)
  local told = true
  for part in text:gmatch("[^,%s{}]+") do
    local from, to = part:match("^(%d+)[-:](%d+)$")
    from, to = tonumber(from or part), tonumber(to or part)
    if not from then told = false elseif value >= from and value <= to then return true end
  end
  if not told then return nil end
  return false
end

local function number_of(address)
  local a, b, c, d = address:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  return a and ((tonumber(a) * 256 + tonumber(b)) * 256 + tonumber(c)) * 256 + tonumber(d)
end

-- Whether the server is in "10.0.0.0/8": a server is never on the loopback or among the metadata services here.
local function is_there(text, packet)
  local base, bits = text:match("^([%d.]+)/?(%d*)$")
  local net = base and number_of(base)
  if not net then return nil end
  local size = 2 ^ (32 - (tonumber(bits) or 32))
  local first = net // size * size
  if first == 0 and size >= 2 ^ 32 then return true end
  if first >> 24 == 127 or first >> 16 == 0xa9fe then return false end
  if #packet.addresses == 0 then return nil end
  for _, address in ipairs(packet.addresses) do
    local at = number_of(address)
    if at and at >= first and at < first + size then return true end
  end
  return false
end

-- What a rule may ask: a pattern with `no` for a negation and `v` for what is asked, and how the packet answers. The
-- spellings are those of iptables-save, iptables -L -n and nft.
local QUESTIONS = {
  { [=[(?<no>! )?(--uid-owner|owner UID match|\bskuid)(?<not> !=)? (?<v>[\d,:-]+|\{[^}]*\}|\S+)]=],
    function(v, packet) return is_among(v, packet.uid) end },
  { [=[(?<no>! )?(--gid-owner|owner GID match|\bskgid)(?<not> !=)? (?<v>[\d,:-]+|\{[^}]*\}|\S+)]=],
    function(v, packet) return packet.gid and is_among(v, packet.gid) end },
  { [=[(?<no>! )?(--dports?|multiport dports|tcp dport)(?<not> !=)? (?<v>[\d,:-]+|\{[^}]*\})]=],
    function(v, packet) return packet.port and is_among(v, packet.port) end },
  { [=[\bdpts?:(?<no>!)?(?<v>[\d:]+)]=], function(v, packet) return packet.port and is_among(v, packet.port) end },
  { [=[(?<no>! )?(-d|ip daddr)(?<not> !=)? (?<v>[\d./]+)]=], is_there },
  { [=[--\s+(\S+\s+\S+\s+)?[\d./]+\s+(?<no>!)?(?<v>[\d./]+)]=], is_there },
  { [=[(?<no>! )?(-o|\boif(name)?)(?<not> !=)? "?(?<v>[\w.-]+)]=], function(v) if v == "lo" then return false end end },
  { [=[--\s+\S+\s+(?<no>!)?(?<v>lo)\s]=], function() return false end },
  { [=[(?<no>! )?(--dst-type|dst-type|fib daddr type)(?<not> !=)? (?<no2>!)?(?<v>LOCAL|local)]=], function() return false end },
  { [=[(?<no>! )?(?<v>-p (udp|icmp|sctp)|l4proto (udp|icmp)|\budp dport|^(\S+\s+\S+\s+)?\w+\s+(udp|icmp|17)\s)]=],
    function() return false end },
}
-- Asked too, and not known of the packet.
local OPEN = [=[--(mark|cgroup|path|ctstate|match-set|probability|sports?|src-type|tcp-flags)|\bmark match|\bct state|\bctstate|\bsaddr\b|\bmeta mark|-s [1-9]|\bspts?:|--\s+(\S+\s+\S+\s+)?[1-9][\d./]*\s]=]

-- true, false, or nil where the rule asks what is not known.
local function fits(rule, packet)
  local open = match(rule, OPEN) ~= nil
  for _, row in ipairs(QUESTIONS) do
    local asked = match(rule, row[1])
    if asked then
      local answer = row[2](asked.v, packet)
      if answer ~= nil and (asked.no or asked["not"] or asked.no2) then answer = not answer end
      if answer == false then return false end
      open = open or answer == nil
    end
  end
  if open then return nil end
  return true
end

local REDIRECTS = { REDIRECT = true, DNAT = true, TPROXY = true }
local ENDS = { ACCEPT = true, DROP = true, REJECT = true }

-- How the packet fares in CHAIN: "captured" and the rule, "free", "unknown", or nil when it comes back.
local function follow(chains, chain, packet, depth)
  for _, record in ipairs(chains[chain] or {}) do
    local action = record.action or ""
    local decides = REDIRECTS[action] or ENDS[action] or action == "RETURN" or chains[action] ~= nil
    local fit = decides and record.rule ~= "policy" and fits(record.rule or "", packet)
    if fit == nil then return "unknown" end
    if fit and REDIRECTS[action] then return "captured", record end
    if fit and ENDS[action] then return "free" end
    if fit and action == "RETURN" then return nil end
    if fit and chains[action] and depth < 8 then
      local fate, by = follow(chains, action, packet, depth + 1)
      if fate then return fate, by end
    end
  end
  return nil
end

-- The users that rules for leaving traffic alone name, for the message.
local function exempt_of(ev)
  local users, seen = {}, {}
  for record in ev:each("host.firewall") do
    local owner = match(record.rule or "", [=[(--uid-owner|owner UID match|\bskuid)( !=)? (?<uid>\d[\d,:-]*)]=])
    if owner and not seen[owner.uid] then users[#users + 1], seen[owner.uid] = owner.uid, true end
  end
  return #users > 0 and "user " .. table.concat(users, ", ") or "nobody"
end

local function addresses_of(ev, host)
  local addresses = {}
  if number_of(host or "") then return { host } end
  for record in ev:each("net.dns") do
    if record.name == host then
      for address in (record.addresses or ""):gmatch("[^,%s]+") do addresses[#addresses + 1] = address end
    end
  end
  return addresses
end

local function from_firewall(ev, place)
  local process, tables = envoy_process(ev), {}
  if not process then return nil end
  for record in ev:each("host.firewall") do
    local key = record.table or "?"
    tables[key] = tables[key] or {}
    tables[key][record.chain or "?"] = tables[key][record.chain or "?"] or {}
    table.insert(tables[key][record.chain or "?"], record)
  end
  local packet = { uid = tonumber(process.uid), gid = tonumber(process.gid), port = tonumber(place.port),
    addresses = addresses_of(ev, place.host) }
  for _, chains in pairs(tables) do
    local fate, by = follow(chains, chains.OUTPUT and "OUTPUT" or "output", packet, 0)
    if fate == "captured" then
      return { uid = packet.uid, exempt = exempt_of(ev), proof = by, who = process }
    end
  end
  return nil
end

-- IgnoredUID and its like beside the user of the proxy's container; ports that are left alone free the packet.
local function from_manifest(ev, place)
  for capture in ev:each("capture") do
    local unknown = "," .. (capture.unknown or "") .. ","
    local told = capture.uid and not capture.gid
    for _, column in ipairs { "uid", "gid", "ignored_ports", "ignored_ips" } do
      told = told and not unknown:find("," .. column .. ",", 1, true)
    end
    local port = tonumber(place.port)
    local open = capture.ignored_ports and (not port or is_among(capture.ignored_ports, port) ~= false)
    for container in ev:each("containers") do
      local uid = tonumber((container.user or ""):match("^%d+")) or container.user == "root" and 0
      local same = container.workload == capture.workload and container.name == capture.container
      if told and not open and same and uid and is_among(capture.uid, uid) == false then
        return { uid = uid, exempt = "user " .. capture.uid, proof = capture, who = container }
      end
    end
  end
  return nil
end

-- What a captured connection looks like: nothing listens on the proxy's own port before it is configured.
local CAPTURED = [[refused|connect error: 111|connection (failure|termination|timeout)|reset]]

local function may_be_captured(place)
  if not place.failing or place.up or match(place.host or "", [[^(127\.|localhost$|\[?::1)]]) then return false end
  if match(place.name or "", [[^unix:]]) then return false end
  local last = place.group and place.group.closes[#place.group.closes]
  return not last or place.vague or xds.of_link(last) and match(last.plain, CAPTURED) ~= nil
end

local function judge_capture(ev, place)
  if not may_be_captured(place) then return end
  local found, sure = from_firewall(ev, place), true
  if not found then found, sure = from_manifest(ev, place), false end
  if not found then return end
  local finding = report(ev, place, "self-captured",
    "the proxy's own connection to %s is redirected into itself: the rules leave %s alone, and Envoy runs as user %d",
    place.name or "its management server", found.exempt, found.uid)
  finding:cite(found.proof):cite(found.who)
    :cite(place.group and place.group.closes[#place.group.closes].record)
    :confidence(sure and "certain" or "likely")
    :advise("let both agree: run Envoy as the user that the rules leave alone, or name its user there "
      .. "(App Mesh on ECS: IgnoredUID; App Mesh on EKS: APPMESH_IGNORE_UID; Istio: --proxy-uid), and start it anew")
    :advise("see the rules and their counters, in the proxy's network namespace",
      "iptables-save -c -t nat; grep Uid /proc/$(pgrep -x envoy)/status")
end

-- ---- packets that vanish for their size ----

-- Each ping and the line that counts its answers, in order; nil when they do not pair.
local function read_pings(ev)
  local pings, counts = {}, {}
  for record in ev:each("event.ping") do
    pings[#pings + 1] = { sent = record, size = ev:number(record, "size") or 0 }
  end
  for record in ev:each("event.pinged") do counts[#counts + 1] = record end
  if #pings ~= #counts then return {} end
  for i, ping in ipairs(pings) do
    ping.count, ping.back = counts[i], ev:number(counts[i], "received")
    ping.told = match(counts[i].rest or "", [[^[^\n]{0,20}errors]]) ~= nil -- the path, or this host, said "too long"
  end
  return pings
end

local function is_of_server(place, ping, addresses)
  local host = ping.sent.host
  if not place.host or host == place.host then return true end
  for _, address in ipairs(addresses) do
    if address == host then return true end
  end
  return false
end

local function judge_mtu(ev, place)
  local small, addresses = {}, addresses_of(ev, place.host)
  if place.up or not place.name then return end
  local pings = read_pings(ev)
  for _, ping in ipairs(pings) do
    if ping.size <= SMALL and (ping.back or 0) > 0 then small[ping.sent.host] = ping.count end
  end
  for _, ping in ipairs(pings) do
    local host = ping.sent.host
    local lost = ping.size >= LARGE and ping.back == 0 and not ping.told
    if lost and small[host] and is_of_server(place, ping, addresses) then
      report(ev, place, "path-mtu",
        "small packets to %s pass and packets of %d bytes vanish without a word: the path's MTU is smaller, and nobody says so",
        host, ping.size)
        :severity(place.failing and "error" or "warning"):confidence("likely")
        :cite(ping.sent):cite(ping.count):cite(small[host])
        :advise("let ICMP type 3 code 4 (fragmentation needed) pass: security group, network ACL, firewall, tunnel")
        :advise("or lower the MTU of the proxy's interface to what passes",
          string.format("ping -M do -c 3 -s 1372 %s", host))
        :advise("or clamp the segment size on the gateway",
          "iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu")
      return
    end
  end
end

-- TCP stands and the handshake gets no answer: a mute peer, or its certificate is too large for the path.
local function ask_mtu(ev, place)
  local _, _, _, well = reach.decide(ev, place.host, place.port)
  local stuck = well.connect and well.failed_tls and match(well.failed_tls.error, [[(?i)time]])
  if stuck and place.failing then
    ev:ask { evidence = "host/ping.txt",
      why = "TCP connects and the TLS handshake gets no answer: either the peer is mute, or large packets (its "
        .. "certificate) vanish on the way",
      how = string.format("ping -M do -c 3 -s 56 %s; ping -M do -c 3 -s 1472 %s, both into one file",
        place.host, place.host) }
  end
end

local function run(ev)
  local place = read_place(ev)
  judge_by_hand(ev, place)
  judge_capture(ev, place)
  judge_mtu(ev, place)
  ask_mtu(ev, place)
end

local EXPLAINS = {
  "ems-connection.not-connected", "ems-connection.no-answer", "ems-connection.timeout",
  "ems-connection.tls-unverified", "ems-connection.refused",
  "probes.pre-initializing", "probes.initializing", "probes.live-unconfigured",
  "probes.listeners-unanswered", "grpc-codes.internal", "grpc-codes.unavailable",
  "config-rejected.fetch-timed-out", "lb-health.no-listener", "lb-health.backend-unready",
}

local function kind(title)
  return { title = title, severity = "error", explains = EXPLAINS }
end

return debrief.check {
  id = "ems-connection/network",
  title = "does something on the way keep the proxy from its management server?",
  applies = "any",
  version = "0.1.0",
  tags = { "xds", "appmesh", "istio", "consul", "ecs", "kubernetes" },
  needs = {
    "net.dns | net.connect | net.tls | host.firewall | capture | event.ping",
    "?net.dns", "?net.connect", "?net.tls", "?host.firewall", "?host.process", "?capture", "?containers",
    "?log.xds_closed", "?stats{*control_plane.connected_state}", "?stats{cluster_manager.cds.update_*}",
    "?stats{listener_manager.lds.update_*}", "?stats{grpc.*.streams_total}", "?log", "?log.start", "?log.stop",
    "?log.config_rejected", "?log.xds_answered", "?bootstrap", "?proxy",
  },
  events = {
    google = xds.GOOGLE,
    ping = [[PING (?<host>[A-Za-z0-9_.:-]+) ?\([0-9a-f.:]+\)[^\n]{0,60}? (?<size>\d+)\(\d+\) bytes of data]],
    pinged = [[\d+ packets transmitted, (?<received>\d+) (?:packets )?received]],
  },
  findings = {
    ["ems-connection.self-captured"] = kind("the proxy's own traffic is redirected into itself"),
    ["ems-connection.path-mtu"] = kind("large packets vanish on the way"),
    ["ems-connection.refused"] = kind("the connection is refused"),
    ["ems-connection.timeout"] = kind("the server cannot be reached"),
    ["ems-connection.dns-failed"] = kind("the server's name does not resolve"),
    ["ems-connection.dns-unreachable"] = kind("the resolver does not answer"),
    ["ems-connection.tls-expired"] = kind("the server's certificate has expired"),
    ["ems-connection.clock-skew"] = kind("the server's certificate is not yet valid"),
    ["ems-connection.tls-name-mismatch"] = kind("the server's certificate is for another name"),
    ["ems-connection.client-certificate-refused"] = kind("the proxy's certificate is refused"),
    ["ems-connection.protocol-mismatch"] = kind("proxy and server speak different protocols"),
  },
  run = run,
}
