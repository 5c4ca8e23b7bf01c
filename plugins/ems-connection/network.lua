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
  ["dns-failed"] = "correct the name in the bootstrap, or create the record (private DNS of the interface endpoint, the Service)",
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
  report(ev, place, slug, "%s cannot be reached: %s", place.name, why):cite(record):confidence("likely"):advise(STEPS[slug])
  ev:ask { evidence = "admin/stats.txt", why = "whether the proxy itself fails in the same way: connected_state and update_success tell",
    how = "curl -s http://ADMIN/stats" }
end

-- ---- the proxy's own traffic, redirected ----

local function envoy_process(ev)
  for record in ev:each("host.process") do
    if match(record.name or "", [[^envoy]]) and tonumber(record.uid) then return record end
  end
  return nil
end

local function range_holds(text, uid)
  for part in text:gmatch("[^,%s]+") do
    local from, to = part:match("^(%d+)[-:](%d+)$")
    from, to = tonumber(from or part), tonumber(to or part)
    if from and to and uid >= from and uid <= to then return true end
  end
  return false
end

-- Rules for outgoing packets: whom they leave alone, and the one that redirects the rest. nil where group ids decide.
local function read_rules(ev)
  local rules = { exempt = {}, redirect = nil, by_group = false }
  for record in ev:each("host.firewall") do
    local text = record.rule or ""
    local owner = match(text, [=[(?:--uid-owner|owner UID match|skuid)\s+(?<uid>[\d,:-]+)]=])
    if match(text, [[--gid-owner|owner GID match|skgid]]) then rules.by_group = true end
    if owner and (record.action == "RETURN" or record.action == "ACCEPT") then
      rules.exempt[#rules.exempt + 1] = owner.uid
    elseif record.action == "REDIRECT" and not match(record.chain or "", [[(?i)^(PREROUTING|.*(ingress|inbound|_in_).*)$]]) then
      rules.redirect = rules.redirect or record
    end
  end
  return rules
end

local function from_firewall(ev)
  local process, rules = envoy_process(ev), read_rules(ev)
  if not process or not rules.redirect or rules.by_group or #rules.exempt == 0 then return nil end
  local uid = tonumber(process.uid)
  for _, text in ipairs(rules.exempt) do
    if range_holds(text, uid) then return nil end
  end
  return { uid = uid, exempt = table.concat(rules.exempt, ", "), proof = rules.redirect, who = process }
end

local function from_manifest(ev)
  for capture in ev:each("capture") do
    local unknown = "," .. (capture.unknown or "") .. ","
    local told = not unknown:find(",uid,", 1, true) and not unknown:find(",gid,", 1, true) and capture.uid and not capture.gid
    for container in ev:each("containers") do
      local uid = tonumber((container.user or ""):match("^%d+")) or container.user == "root" and 0
      local same = container.workload == capture.workload and container.name == capture.container
      if told and same and uid and not range_holds(capture.uid, uid) then
        return { uid = uid, exempt = capture.uid, proof = capture, who = container }
      end
    end
  end
  return nil
end

local function judge_capture(ev, place)
  if not place.failing or place.up or place.group and not place.vague then return end
  local found, sure = from_firewall(ev), true
  if not found then found, sure = from_manifest(ev), false end
  if not found then return end
  local finding = report(ev, place, "self-captured",
    "the proxy's own connection to %s is redirected into itself: the rules leave user %s alone, and Envoy runs as user %d",
    place.name or "its management server", found.exempt, found.uid)
  finding:cite(found.proof):cite(found.who):cite(place.group and place.group.closes[#place.group.closes].record)
    :confidence(sure and "certain" or "likely")
    :advise("let both agree: run Envoy as the user that the rules leave alone, or name its user there (App Mesh on ECS: IgnoredUID; Istio: --proxy-uid), and start the task or pod anew")
    :advise("see the rules and their counters, in the proxy's network namespace", "iptables-save -c -t nat; grep Uid /proc/$(pgrep -x envoy)/status")
end

-- ---- packets that vanish for their size ----

-- The size of a ping, and how many came back, stand in two lines of one output.
local function judge_mtu(ev, place)
  local small, large = {}, {}
  local counts = {}
  for record in ev:each("event.pinged") do counts[#counts + 1] = record end
  local at = 0
  for record in ev:each("event.ping") do
    at = at + 1
    local size, count = ev:number(record, "size") or 0, counts[at]
    local back = count and ev:number(count, "received")
    local host = record.host
    if back and size <= SMALL and back > 0 then small[host] = count end
    if back and size >= LARGE and back == 0 then large[host] = { record = record, count = count, size = size } end
  end
  for host, lost in pairs(large) do
    local about = not place.host or host == place.host or match(host, [=[^[\d.]+$|:]=]) ~= nil
    if small[host] and about and not place.up then
      report(ev, place, "path-mtu", "small packets to %s pass and packets of %d bytes vanish without a word: the path's MTU is smaller, and nobody says so",
        host, lost.size):cite(lost.record):cite(lost.count):cite(small[host])
        :advise("let ICMP type 3 code 4 (fragmentation needed) pass: security group, network ACL, firewall, tunnel")
        :advise("or lower the MTU of the proxy's interface to what passes", string.format("ping -M do -c 3 -s 1372 %s", host))
        :advise("or clamp the segment size on the gateway", "iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu")
    end
  end
end

-- TCP stands and the handshake gets no answer: a mute peer, or its certificate is too large for the path.
local function ask_mtu(ev, place)
  local _, _, _, well = reach.decide(ev, place.host, place.port)
  local stuck = well.connect and well.failed_tls and match(well.failed_tls.error, [[(?i)time]])
  if stuck and place.failing then
    ev:ask { evidence = "host/ping.txt", why = "TCP connects and the TLS handshake gets no answer: either the peer is mute, or large packets (its certificate) vanish on the way",
      how = string.format("ping -M do -c 3 -s 56 %s; ping -M do -c 3 -s 1472 %s, both into one file", place.host, place.host) }
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
  "ems-connection.not-connected", "ems-connection.no-answer", "ems-connection.timeout", "ems-connection.tls-unverified", "ems-connection.refused",
  "probes.pre-initializing", "probes.initializing", "probes.live-unconfigured", "probes.listeners-unanswered", "grpc-codes.internal",
  "config-rejected.fetch-timed-out", "lb-health.no-listener", "lb-health.backend-unready",
}

local function kind(title)
  return { title = title, severity = "error", explains = EXPLAINS }
end

return debrief.check {
  id = "ems-connection/network",
  title = "does something on the way keep the proxy from its management server?",
  version = "0.1.0",
  tags = { "xds", "appmesh", "istio", "consul", "ecs", "kubernetes" },
  needs = {
    "net.dns | net.connect | net.tls | host.firewall | capture | event.ping", "?net.dns", "?net.connect", "?net.tls", "?host.firewall", "?host.process",
    "?capture", "?containers", "?log.xds_closed", "?stats{*control_plane.connected_state}", "?stats{cluster_manager.cds.update_*}",
    "?stats{listener_manager.lds.update_*}", "?stats{grpc.*.streams_total}", "?log", "?log.start", "?log.stop", "?log.config_rejected",
    "?log.xds_answered", "?bootstrap", "?proxy",
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
