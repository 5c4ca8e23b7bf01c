-- Why the connection to the management server does not come about. Reads the xDS close lines whose text (or whose
-- silence) is the transport's, not the server's; counters alone are counters.lua's. Names a cause only where the
-- line tells it; google_grpc's empty 13 is reported as what it is, with candidates and what would decide.

local match, xds, reach = debrief.match, debrief.use "xds_stream", debrief.use "reach"

local APP_MESH_ENDED = 1790812800 -- 2026-10-01

local SNIPPET_KEEPALIVE = [[
# the xDS cluster of the bootstrap: ping less often than the server's minimum (grpc-go: 5 minutes)
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    explicit_http_config:
      http2_protocol_options:
        connection_keepalive: { interval: 300s, timeout: 10s }
]]

local function is_over(ev, close, link, marks)
  return xds.during_shutdown(close, marks) or xds.is_recovered(ev, close, link, marks)
end

-- ---- the place that cannot be reached ----

-- What the text or the configuration names: host, port, and the name that TLS asks for.
local function place_of(group, close)
  local dialled = match(close.rest, [=[dial tcp (?<host>\[[^\]]+\]|[^\s:]+):(?<port>\d+)]=])
  local asked = match(close.rest, [=[lookup (?<host>[^\s:]+)]=])
  local known = match(group.name, [=[^(?:[a-z]+:/*)?(?<host>\[[^\]]+\]|[^\s:/]+):(?<port>\d+)$]=])
  local host = asked and asked.host or dialled and dialled.host or known and known.host
  local port = dialled and dialled.port or known and known.port
  local place = { host = host or "HOST", port = port or "PORT", known = host ~= nil }
  place.socket = match(group.name, [[^unix:[\w./-]+$]]) and group.name or nil
  place.is_address = host ~= nil and match(host, [=[^(\d+\.){3}\d+$|^\[|:]=]) ~= nil
  place.name = host and (port and host .. ":" .. port or host) or group.name == "xds server" and "the management server" or group.name
  return place
end

-- HOST and PORT of a command or sentence.
local function fill(text, place)
  local host = place.host:find(":", 1, true) and not place.host:find("^%[") and "[" .. place.host .. "]" or place.host
  return reach.command(text, place.known and host .. ":" .. place.port)
end

local function openssl(place)
  return fill("openssl s_client -connect HOST:PORT -servername HOST -alpn h2 -showcerts </dev/null", place)
end

-- One command line that says how far a connection gets.
local function walk(place)
  local name = place.is_address and "" or fill("getent hosts HOST; ", place)
  return name .. fill("nc -vz -w 5 HOST PORT; ", place) .. openssl(place)
end


local function ask_probe(ev, place, why)
  if place.socket then
    ev:ask { evidence = "aws/describe-tasks.json or the agent's log", why = "whether the agent that listens on " .. place.socket .. " runs, and since when",
      how = "@status@" }
    return
  end
  ev:ask { evidence = "probe/tls.txt", why = why,
    how = "@near " .. walk(place) .. "@; or debrief itself from there: @debrief@ --probe" }
end

-- ---- what to say and what to do; HOST, PORT are filled in ----

local SAYS = {
  ["refused"] = "%s refuses the connection: nothing listens there, or something on the way rejects it",
  ["timeout"] = "%s does not answer: connections time out, packets are dropped or have no way there",
  ["dns-failed"] = "the name of %s does not resolve: the resolver says that it does not exist",
  ["dns-unreachable"] = "the resolver gives no usable answer, so %s cannot be looked up",
  ["tls-untrusted"] = "the certificate of %s is signed by an authority that the proxy does not trust",
  ["tls-unverified"] = "the certificate of %s is refused, and this evidence does not say why",
  ["tls-expired"] = "the certificate of %s has expired",
  ["clock-skew"] = "the certificate of %s is not yet valid by the proxy's clock: the clocks differ, or it was issued for later",
  ["tls-name-mismatch"] = "the certificate of %s is made out to another name than the proxy asks for",
  ["client-certificate-refused"] = "%s refuses the certificate that the proxy presents, or wants one",
  ["protocol-mismatch"] = "the proxy and %s do not speak the same protocol on this port",
  ["xds-cluster-overflow"] = "the circuit breaker of the proxy's own xDS cluster holds back streams to %s",
  ["relay-stopped"] = "the local agent or relay behind %s does not listen any more",
  ["keepalive-mismatch"] = "%s ends the connection because the proxy pings more often than it allows",
  ["not-connected"] = "there is no connection to %s, and this evidence does not say why",
}

local STEPS = {
  ["refused"] = {
    { "see whether the management server runs and listens on that port", "nc -vz -w 5 HOST PORT" },
    { "compare host and port with the bootstrap; on Kubernetes see that the Service has endpoints", "kubectl get endpoints -A | grep PORT" },
  },
  ["timeout"] = {
    { "try the connection from where the proxy runs", "nc -vz -w 5 HOST PORT" },
    { "AWS: give the subnet a way out (NAT, public address) or an interface endpoint, and open egress to PORT in the security group and network ACL" },
    { "Kubernetes: look for a NetworkPolicy that closes egress to PORT", "kubectl get networkpolicy -A" },
  },
  ["dns-failed"] = {
    { "look the name up from where the proxy runs", "getent hosts HOST" },
    { "correct the name in the bootstrap, or create the record (AWS: private DNS of the interface endpoint; Kubernetes: the Service and its namespace)" },
    { "Kubernetes: a pod with hostNetwork needs dnsPolicy: ClusterFirstWithHostNet to resolve service names" },
  },
  ["dns-unreachable"] = {
    { "see which resolver the proxy asks, and whether it answers", "cat /etc/resolv.conf; dig +time=3 HOST" },
    { "open UDP and TCP port 53 to the resolver; Kubernetes: see that CoreDNS is healthy", "kubectl -n kube-system get pods -l k8s-app=kube-dns" },
  },
  ["tls-untrusted"] = {
    { "show the chain that the server sends", "openssl s_client -connect HOST:PORT -servername HOST -alpn h2 -showcerts </dev/null" },
    { "put the authority that signed it into the proxy's trusted_ca (or root_certs), or have the server send the missing intermediate; a root may have been replaced under the same name" },
  },
  ["tls-expired"] = {
    { "show the dates of the server's certificate", "openssl s_client -connect HOST:PORT -servername HOST </dev/null | openssl x509 -noout -dates -subject" },
    { "renew the certificate of the management server, and have the server load it" },
  },
  ["clock-skew"] = {
    { "compare the clocks of both hosts with a reference", "date -u; chronyc tracking || timedatectl" },
    { "correct the clock that is wrong; if both are right, wait for notBefore or issue the certificate anew" },
  },
  ["tls-name-mismatch"] = {
    { "show the names in the server's certificate", "openssl s_client -connect HOST:PORT -servername HOST </dev/null | openssl x509 -noout -ext subjectAltName" },
    { "connect by one of those names, or correct sni and match_typed_subject_alt_names of the xDS cluster, or issue a certificate for the name that is used" },
  },
  ["client-certificate-refused"] = {
    { "look at the dates and the issuer of the proxy's own certificate", "curl -s http://ADMIN/certs" },
    { "have the server trust its issuer, or give the proxy a certificate (tls_certificates of the xDS cluster)" },
  },
  ["protocol-mismatch"] = {
    { "see what the port speaks", "openssl s_client -connect HOST:PORT -servername HOST -alpn h2 </dev/null" },
    { "make both sides agree: a transport_socket with TLS in the xDS cluster (or none), the server's TLS or plain-text port, HTTP/2 on both" },
  },
  ["xds-cluster-overflow"] = {
    { "raise circuit_breakers of the xDS cluster in the bootstrap (max_requests, max_pending_requests), or fetch everything over one ADS stream" },
  },
  ["relay-stopped"] = {
    { "see whether the agent or relay runs and start it again (Istio: pilot-agent in the same container; ECS: the instance's relay container)", "docker ps -a | grep -i -e relay -e agent" },
  },
}

local function advise(finding, slug, place)
  for _, step in ipairs(STEPS[slug] or {}) do
    finding:advise(fill(step[1], place), fill(step[2], place))
  end
end

-- ---- symptoms that have several causes ----

local settle = {}

-- A client without TLS whose peer hangs up at once: most often the peer wants TLS.
settle["termination"] = function(ev, group, _, link, place)
  local plain = group.server and group.server.tls == "no"
  if not plain or (link.ok or 0) > 0 then return "not-connected" end
  ask_probe(ev, place, "whether the port speaks TLS, is a proxy in between, or belongs to a server that crashes")
  return "protocol-mismatch", function(finding)
    finding:confidence("likely")
      :candidate("ems-connection.protocol-mismatch", { ["for"] = "the proxy speaks plain text and the peer closes each connection before it answers" })
      :candidate("ems-connection.refused", { ["for"] = "a proxy in front of a server that is gone, or a server that crashes, does the same" })
  end
end

local function dns_cluster(ev, name)
  for record in ev:each("xds.clusters") do
    if record.name == name then return (record.type or ""):match("DNS") ~= nil end
  end
  return nil
end

-- No host in the xDS cluster: the resolver's counters tell, as far as they are this cluster's.
settle["no-host"] = function(ev, _, close, _, place)
  local dns = dns_cluster(ev, close.peer)
  local missing, pending = ev:stat("dns.cares.not_found"), ev:stat("dns.cares.pending_resolutions")
  local _, proof = ev:stat("dns.cares.not_found")
  if dns ~= false and (tonumber(missing) or 0) > 0 then
    return "dns-failed", function(finding)
      finding:confidence(dns and "certain" or "likely"):cite(proof)
    end
  elseif dns ~= false and (tonumber(pending) or 0) > 0 then
    return "dns-unreachable", function(finding) finding:confidence("likely") end
  end
  return "not-connected", function(finding)
    finding:candidate("ems-connection.dns-failed", { ["for"] = "the xDS cluster has no host, as after a name that does not exist",
        against = dns == false and "the cluster is not resolved by DNS" or nil })
      :candidate("ems-connection.dns-unreachable", { ["for"] = "the resolver may not answer" })
    ev:ask { evidence = "admin/stats.txt", why = "dns.cares.* and cluster.*.membership_total tell why the xDS cluster has no host",
      how = "curl -s 'http://ADMIN/stats?filter=dns|membership_total'" }
    ask_probe(ev, place, "whether the server's name resolves where the proxy runs, and to what")
    ev:ask { evidence = "k8s/pods.json, k8s/endpoints.json", why = "a Service without ready endpoints, or a pod on its node's network whose dnsPolicy "
      .. "is not ClusterFirstWithHostNet, leave the xDS cluster without a host",
      how = "kubectl get pod POD -o jsonpath='{.spec.hostNetwork} {.spec.dnsPolicy}'; kubectl get endpoints -A; kubectl get pods -A, for the control plane's own" }
  end
end

-- Up to Envoy 1.36 one text for untrusted, expired and not yet valid; only a wrong name has a counter.
settle["tls-unverified"] = function(ev, group, close, _, place)
  local prefix = "cluster." .. (close.peer or "?") .. ".ssl."
  local san, proof = ev:stat(prefix .. "fail_verify_san")
  local other = ev:stat(prefix .. "fail_verify_error")
  if (tonumber(san) or 0) > 0 and (tonumber(other) or 0) == 0 then
    return "tls-name-mismatch", function(finding) finding:cite(proof) end
  end
  local dates = close.plain:find("expired or is not yet valid", 1, true)
  ask_probe(ev, place, "why the certificate is refused: who signed it, its dates, its names")
  ev:ask { evidence = "host/clock.txt", why = "a wrong clock makes a good certificate look expired or not yet valid", how = "date -u on the proxy's host and on the server" }
  return "tls-unverified", function(finding)
    finding:candidate("ems-connection.tls-expired", { ["for"] = "an expired certificate prints this line" })
      :candidate("ems-connection.clock-skew", { ["for"] = "so does one that is not yet valid by the proxy's clock" })
    if not dates then
      finding:candidate("ems-connection.tls-untrusted", { ["for"] = "so does one whose authority the proxy does not know" })
        :candidate("ems-connection.tls-name-mismatch", { ["for"] = "so does one for another name", against = other and "a wrong name would count in ssl.fail_verify_san" or nil })
    end
    finding:advise("look at the certificate from where the proxy runs", openssl(place) .. " | openssl x509 -noout -subject -issuer -dates -ext subjectAltName")
  end
end

-- OpenSSL's verify results for an authority that the tool does not know.
local UNTRUSTED = { ["18"] = true, ["19"] = true, ["20"] = true, ["21"] = true }

-- google_grpc and every vague text. Order of the candidates is by how long the first attempt took.
settle["not-connected"] = function(ev, group, close, _, place)
  local first, marks = group.closes[1], group.marks
  local took = first.time and marks.started > 0 and first.time - marks.started
  local slow = took and took > 15 and "the first attempt took " .. math.floor(took) .. " s, as when packets are dropped" or nil
  local quick = took and took >= 0 and took < 10 and "the first attempt failed " .. (took < 1 and "at once" or "after " .. math.floor(took) .. " s") or nil
  local traced = ev:count("event.trace") > 0
  local plain_text = group.server and group.server.tls == "no" and "the bootstrap asks for plain text" or nil
  local made = match(close.plain, [[connection termination]]) and "the connection was made, and then closed by the peer" or nil
  ask_probe(ev, place, "DNS, TCP and TLS are told apart by a probe from where the proxy runs; this log does not tell them apart")
  ev:ask { evidence = "manifest/task-definition.json, or the pod's init container", why = "redirect rules that catch the proxy's own traffic look the same (ECS: IgnoredUID and EgressIgnoredPorts of proxyConfiguration, "
      .. "and the user of the Envoy container; Kubernetes: the init container's arguments, and the user of the proxy's)",
    how = "@definition@" }
  return "not-connected", function(finding)
    local function candidate(slug, speaks_for, against)
      if made and (slug == "refused" or slug == "dns-failed" or slug == "timeout") then return end
      finding:candidate("ems-connection." .. slug, { ["for"] = speaks_for, against = against })
    end
    if made then
      candidate("protocol-mismatch", made .. ", as a port does that expects TLS")
      candidate("relay-stopped", "so does a proxy or agent in between whose own server is gone")
    end
    if traced then
      candidate("timeout", "the gRPC trace says that the TCP connection failed", nil)
      candidate("refused", "the gRPC trace says that the TCP connection failed", nil)
    elseif slow then
      candidate("timeout", slow, nil)
    end
    local well = group.well or {}
    local shown = well.failed_tls or well.tls
    if shown and UNTRUSTED[shown.verify_code or ""] then
      candidate("tls-untrusted", string.format("a handshake by hand says: %s%s", shown.verify_error or "not trusted",
        shown.chain_issuer and ", signed by " .. shown.chain_issuer or ""), "that tool trusts other authorities than the proxy does")
      finding:cite(shown)
    end
    if well.tls then
      candidate("self-captured", "name, TCP and TLS are well when tried by hand, so what is particular to the proxy remains", nil)
    end
    candidate("refused", quick or "a refused connection ends this way", well.connect and "a connection by hand succeeds" or slow)
    candidate("dns-failed", "a name that does not resolve ends this way",
      place.is_address and "the server is given as an address" or well.dns and "the name resolves" or nil)
    candidate("tls-unverified", "a refused certificate ends this way", plain_text or traced and "TCP already failed" or nil)
    if not made then candidate("protocol-mismatch", "plain text against TLS ends this way", traced and "TCP already failed" or nil) end
    if not well.tls then candidate("self-captured", "redirect rules that catch the proxy's own port end this way", nil) end
    if not slow then candidate("timeout", "dropped packets end this way", well.connect and "a connection by hand succeeds" or quick) end
    if group.name:find("envoy-management", 1, true) and (not first.time or first.time >= APP_MESH_ENDED) then
      candidate("endpoint-retired", "App Mesh ended on 2026-09-30", not first.time and "the line has no date" or nil)
    end
    finding:advise("find out how far a connection gets from where the proxy runs: name, TCP, TLS", walk(place))
  end
end

-- ---- what was tried by hand ----

-- Where the line is vague, tools tell: slug, how to complete the finding, and what is known to be well.
local function by_hand(ev, slug, place)
  local host, port = place.known and place.host, place.port ~= "PORT" and place.port or nil
  if not host then host, port = reach.server(ev) end
  local found, why, record, well = reach.decide(ev, host, port)
  if not found and slug == "tls-unverified" and well.certificate then
    found, why, record = "tls-untrusted", "names and dates of the certificate that was shown fit, which leaves its authority", well.certificate
  end
  if not found then return nil, nil, well end
  return found, function(finding) finding:confidence("likely"):cite(record) end, well, why
end

-- A certificate that was good all the time by other clocks: the proxy's own clock is wrong.
local function by_clock(ev, slug, close, place)
  local _, _, _, well = reach.decide(ev, place.known and place.host, place.port ~= "PORT" and place.port or nil)
  local shown = slug == "tls-expired" and well.certificate
  if not shown or not close.time or xds.seconds(shown.valid_from) > close.time - 86400 then return nil end
  return "clock-skew", function(finding) finding:confidence("likely"):cite(shown) end, well,
    "the certificate that was shown is valid from " .. shown.valid_from:sub(1, 10) .. " to " .. shown.expires:sub(1, 10)
end

-- ---- judging ----

local function cause_of(ev, group, close)
  if xds.of_google(close, group) then return "not-connected" end
  if not xds.of_link(close) then return nil end
  for _, row in ipairs(xds.CAUSES) do
    if match(close.plain, row[2]) then return row[1] end
  end
  return "not-connected"
end

local function relayed(group, slug)
  local socket = group.name:match("^unix:") ~= nil
  local gone = slug == "refused" or match(group.closes[#group.closes].plain, [[no such file or directory]]) ~= nil
  return socket and gone and "relay-stopped" or slug
end

-- The episode that lasts: closes of this cause since the server last answered.
local function cite(ev, finding, group, slug, link, success)
  local first, last, seen = nil, nil, 0
  for _, close in ipairs(group.closes) do
    local earlier = close.time and close.time <= success
    if not earlier and cause_of(ev, group, close) == slug then first, last, seen = first or close, close, seen + 1 end
  end
  finding:cite(last.record)
  if first ~= last then finding:cite(first.record) end
  if link.connected == 0 or last.time and math.abs(ev:now() - last.time) < 600 then finding:when("now") end
  finding:span { count = success > 0 and seen or group.count }
end

local function message_of(slug, group, close, place)
  if slug == "not-connected" and close.plain == "" then
    return string.format("google_grpc has no connection to %s: the stream is closed with code 13 and no text, which tells nothing more", place.name)
  end
  return string.format(SAYS[slug], place.name)
end

-- Streams through different clusters of one agent fail for one reason: the first of them is the subject.
local function subject_of(group, slug, place, subjects)
  local key = slug .. " " .. place.name
  subjects[key] = subjects[key] or group.name
  return subjects[key]
end

local function report(ev, group, close, seen, link, success, subjects)
  local place = place_of(group, close)
  local slug, more, why = relayed(group, seen), nil, nil
  if settle[slug] then
    local found
    found, more, group.well, why = by_hand(ev, slug, place)
    if found then slug = found else slug, more = settle[slug](ev, group, close, link, place) end
  else
    local found, complete, _, reason = by_clock(ev, slug, close, place)
    if found then slug, more, why = found, complete, reason end
  end
  if slug == "not-connected" and not more then slug, more = settle["not-connected"](ev, group, close, link, place) end
  local subject = place.known and subject_of(group, slug, place, subjects) or group.name
  local finding = ev:report("ems-connection." .. slug, "xds-server", subject, "%s%s", message_of(slug, group, close, place), why and "; " .. why or "")
  if more then more(finding) end
  cite(ev, finding, group, seen, link, success)
  advise(finding, slug, place)
  return finding
end

-- Ended, yet long enough to be worth a note.
local function report_before(ev, group, close, slug)
  local first = group.closes[1]
  local long = first.time and close.time and close.time - first.time >= 60 or group.count > 3
  if not long or not SAYS[slug] then return end
  local place = place_of(group, close)
  local finding = ev:report("ems-connection." .. slug, "xds-server", group.name, "%s; it is over, the stream came back since",
    message_of(slug, group, close, place))
  finding:severity("info"):when("before"):cite(close.record)
end

local function keepalive(ev, group, close)
  local place = place_of(group, close)
  local finding = ev:report("ems-connection.keepalive-mismatch", "xds-server", group.name, "%s", message_of("keepalive-mismatch", group, close, place))
  finding:cite(close.record):snippet("ping less often, or have the server allow it (grpc-go: EnforcementPolicy.MinTime)", "bootstrap.yaml", SNIPPET_KEEPALIVE)
end

-- Up now, yet the link broke again and again over a while that is no start-up.
local function is_flapping(group, link)
  local first, last = group.closes[1], group.closes[#group.closes]
  if not link.up or not first.time or not last.time then return false end
  local span = last.time - first.time
  return group.count >= 6 and span > 600 and span / group.count < 600
end

local function report_flapping(ev, group, close)
  local place = place_of(group, close)
  local finding = ev:report("ems-connection.flapping", "xds-server", group.name,
    "the connection to %s breaks again and again; it is up now", place.name)
  finding:confidence("likely"):cite(close.record):cite(group.closes[1].record):span { count = group.count }
  finding:advise("look for what lies between: load balancer idle time-outs, restarts of the server, packet loss",
    "@debrief@ --sample 30s")
end

local function judge(ev, group, link, marks, subjects)
  local close = group.closes[#group.closes]
  for _, each in ipairs(group.closes) do
    if match(each.plain, xds.KEEPALIVE) then return keepalive(ev, group, each) end
  end
  local slug = cause_of(ev, group, close)
  if not slug then return end
  local silent = close.plain == ""
  if silent and xds.is_rotation(group, ev:param("rotation")) then return end
  if not is_over(ev, close, link, marks) then
    report(ev, group, close, slug, link, marks.success, subjects)
  elseif is_flapping(group, link) then
    report_flapping(ev, group, close)
  elseif not silent then
    report_before(ev, group, close, slug)
  end
end

local function run(ev)
  local stream, subjects = xds.read(ev), {}
  for _, group in ipairs(stream.groups) do
    judge(ev, group, stream.link, stream.marks, subjects)
  end
  if #stream.groups == 0 then xds.ask_while_starting(ev, stream.link, stream.proxy) end
end

local EXPLAINS = {
  "probes.pre-initializing", "probes.initializing", "probes.live-unconfigured", "probes.listeners-unanswered",
  "probes.eds-unanswered", "probes.secret-unanswered", "probes.routes-unanswered", "grpc-codes.unavailable",
  "grpc-codes.internal", "grpc-codes.deadline-exceeded", "grpc-codes.startup-retry", "grpc-codes.unknown-code",
  "ems-connection.not-connected", "ems-connection.flapping", "config-rejected.fetch-timed-out", "lb-health.no-listener",
  "lb-health.backend-unready",
}

local function kind(title, severity)
  return { title = title, severity = severity or "error", explains = EXPLAINS }
end

return debrief.check {
  id = "ems-connection",
  title = "does the connection to the management server come about, and if not why?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "xds", "appmesh", "istio", "consul", "gateway" },
  needs = {
    "log.xds_closed", "?stats{*control_plane.connected_state}", "?stats{cluster_manager.cds.update_*}",
    "?stats{listener_manager.lds.update_*}", "?stats{grpc.*.streams_total}", "?stats{dns.cares.*}", "?stats{cluster.*.ssl.fail_verify_*}",
    "?log", "?log.start", "?log.stop", "?log.workers_started", "?log.config_rejected", "?log.xds_answered", "?bootstrap", "?proxy", "?xds.clusters{state=static}",
    "?net.dns", "?net.connect", "?net.tls",
  },
  events = {
    google = xds.GOOGLE,
    trace = [[subchannel.*(connect_failed|Connect Failed)]],
  },
  params = {
    rotation = { type = "duration", default = "15m", help = "streams that live at least this long before they are closed are rotated, not cut" },
  },
  findings = {
    ["ems-connection.refused"] = kind("the connection is refused"),
    ["ems-connection.timeout"] = kind("the server cannot be reached"),
    ["ems-connection.dns-failed"] = kind("the server's name does not resolve"),
    ["ems-connection.dns-unreachable"] = kind("the resolver does not answer"),
    ["ems-connection.tls-untrusted"] = kind("the server's certificate is not trusted"),
    ["ems-connection.tls-unverified"] = kind("the server's certificate is refused, the reason is not told"),
    ["ems-connection.tls-expired"] = kind("the server's certificate has expired"),
    ["ems-connection.clock-skew"] = kind("the server's certificate is not yet valid"),
    ["ems-connection.tls-name-mismatch"] = kind("the server's certificate is for another name"),
    ["ems-connection.client-certificate-refused"] = kind("the proxy's certificate is refused"),
    ["ems-connection.protocol-mismatch"] = kind("proxy and server speak different protocols"),
    ["ems-connection.xds-cluster-overflow"] = kind("the circuit breaker of the xDS cluster is open"),
    ["ems-connection.relay-stopped"] = kind("the local agent or relay is gone"),
    ["ems-connection.keepalive-mismatch"] = kind("the proxy pings too often", "warning"),
    ["ems-connection.not-connected"] = kind("no connection to the management server"),
    ["ems-connection.flapping"] = kind("the connection breaks again and again", "warning"),
  },
  run = run,
}
