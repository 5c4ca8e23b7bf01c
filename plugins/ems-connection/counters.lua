-- What statistics alone tell of the link to the management server: the first half minute of an outage and a server
-- that never answers leave no line in the log. Silent where close lines speak (ems-connection.lua, grpc-codes).

-- Names that control planes give the cluster of their xDS server, for statistics without a bootstrap.
local USUAL = { "xds-grpc", "xds_cluster", "xds-cluster", "consul-dataplane", "local_agent", "ads_cluster", "contour", "ads" }

local reach = debrief.use "reach"

local function number(ev, name)
  return tonumber((ev:stat(name)))
end

local function sum(ev, leaf)
  local cds, lds = number(ev, "cluster_manager.cds." .. leaf), number(ev, "listener_manager.lds." .. leaf)
  return (cds or lds) and (cds or 0) + (lds or 0) or nil
end

local function connected_state(ev)
  local value, proof
  for record in ev:each("stats") do
    if (record.name or ""):match("control_plane%.connected_state$") then
      local seen = ev:number(record, "value")
      if seen and (not value or seen > value) then value, proof = seen, record end
    end
  end
  return value, proof
end

local function closed_counters(ev)
  local closed = {}
  for record in ev:each("stats") do
    local code = (record.name or ""):match("^grpc%..*%.streams_closed_(%d+)$")
    if code and (ev:number(record, "value") or 0) > 0 then closed[tonumber(code)] = record end
    if (record.name or ""):match("^grpc%..*%.streams_") then closed.any = true end
  end
  return closed
end

local function server_of(ev)
  local found
  for record in ev:each("bootstrap") do
    if record.client and record.client ~= "path" and (not found or record.xds == "ads") then found = record end
  end
  if found then
    return { name = found.address or found.target or "xds server", client = found.client, tls = found.tls,
      cluster = found.client == "envoy_grpc" and found.target or nil }
  end
  for _, name in ipairs(USUAL) do
    if ev:stat("cluster." .. name .. ".membership_total") then
      return { name = name, client = "envoy_grpc", cluster = name }
    end
  end
  return { name = "xds server" }
end

local function read(ev)
  local link = { server = server_of(ev), closed = closed_counters(ev), updated = 0 }
  link.connected, link.proof = connected_state(ev)
  link.ok, link.attempts = sum(ev, "update_success"), sum(ev, "update_attempt")
  link.failures, link.rejected = sum(ev, "update_failure") or 0, sum(ev, "update_rejected") or 0
  link.timed_out = (sum(ev, "init_fetch_timeout") or 0) > 0 or ev:count("log.fetch_timeout") > 0
  for _, leaf in ipairs { "cluster_manager.cds.update_time", "listener_manager.lds.update_time" } do
    link.updated = math.max(link.updated, (number(ev, leaf) or 0) / 1000)
  end
  local proxy = ev:first("proxy")
  link.uptime = proxy and ev:number(proxy, "uptime_s") or number(ev, "server.uptime")
  if link.server.client == nil and link.closed.any then link.server.client = "google_grpc" end
  function link.of(leaf)
    return link.server.cluster and number(ev, "cluster." .. link.server.cluster .. "." .. leaf) or nil
  end
  function link.record(leaf)
    local _, record = ev:stat("cluster." .. (link.server.cluster or "?") .. "." .. leaf)
    return record
  end
  return link
end

-- Whether close lines have the word: any that no accepted update has followed.
local function log_speaks(ev, link)
  local last = ev:last("log.xds_closed")
  if not last then return false end
  local time = ev:time(last)
  return not time or link.updated <= time
end

local function shown(link)
  return link.server.name == "xds server" and "the management server" or link.server.name
end

local function ask_log(ev, why)
  ev:ask { evidence = "log/envoy.log", why = why,
    how = "@log@ (Envoy logs retried failures only after 30 s)" }
end

local function ask_probe(ev, link, why)
  ev:ask { evidence = "probe/tls.txt", why = why,
    how = reach.command("@near getent hosts HOST; nc -vz -w 5 HOST PORT; openssl s_client -connect HOST:PORT -alpn h2 </dev/null@", link.server.name)
      .. "; or debrief itself from there: @debrief@ --probe" }
end

local function report(ev, link, slug, format, ...)
  local finding = ev:report("ems-connection." .. slug, "xds-server", link.server.name, format, ...)
  return finding:cite(link.proof):when("now")
end

-- ---- connected, and silence ----

-- connected_state is 1 from the moment the stream object exists: with envoy_grpc an active request proves a
-- connection, google_grpc keeps it up for 20 s while it tries to connect.
local function is_silent(link)
  if link.connected < 1 or link.ok ~= 0 or (link.attempts or 0) < 1 then return false end
  if link.failures > 0 or link.rejected > 0 then return false end
  if link.timed_out then return true end
  local active = link.of("upstream_rq_active")
  if active and active < 1 then return false end
  local patience = link.server.client == "google_grpc" and 20 or 10
  return not link.uptime or link.uptime >= patience
end

local function report_silence(ev, link)
  local for_long = link.uptime and string.format(" in %d s", math.floor(link.uptime)) or ""
  local finding = report(ev, link, "no-answer", "%s accepts the stream and never answers: %d requests sent%s, none answered, none failed",
    shown(link), math.floor(link.attempts), for_long)
  if link.server.client == "google_grpc" and (link.uptime or 0) < 30 then finding:confidence("likely") end
  for _, name in ipairs { "cluster_manager.cds.update_attempt", "cluster_manager.cds.update_success" } do
    local _, record = ev:stat(name)
    if record then finding:cite(record) end
  end
  finding:advise("look at the management server's own log: has it seen this node id, and what does it wait for before it answers")
  finding:advise("see that the port speaks gRPC at all: a TCP service that accepts and says nothing looks the same",
    string.format("curl -sv --http2-prior-knowledge --max-time 5 http://%s/", link.server.name == "xds server" and "HOST:PORT" or link.server.name))
  ask_probe(ev, link, "whether the port speaks TLS and HTTP/2 tells a silent server from one that is no gRPC server")
end

-- ---- not connected ----

local function certain_cause(ev, link)
  if link.of("membership_total") == 0 then
    local missing, pending = number(ev, "dns.cares.not_found") or 0, number(ev, "dns.cares.pending_resolutions") or 0
    if missing > 0 then
      return "dns-failed", "the name of %s does not resolve: the resolver says that it does not exist", "dns.cares.not_found"
    elseif pending > 0 then
      return "dns-unreachable", "the resolver has not answered for %s: the look-up is still open", "dns.cares.pending_resolutions"
    end
    return nil
  end
  local overflow = (link.of("upstream_rq_pending_overflow") or 0) + (link.of("upstream_rq_active_overflow") or 0)
  if overflow > 0 then
    return "xds-cluster-overflow", "the circuit breaker of the proxy's own xDS cluster holds back streams to %s"
  end
  local fail, timeout = link.of("upstream_cx_connect_fail") or 0, link.of("upstream_cx_connect_timeout") or 0
  local unnamed, other = link.of("ssl.fail_verify_error") or 0, link.of("ssl.fail_verify_san") or 0
  if fail > 0 and timeout == fail then
    return "timeout", "%s does not answer: every connection attempt timed out", "upstream_cx_connect_timeout"
  elseif other > 0 and unnamed == 0 then
    return "tls-name-mismatch", "the certificate of %s is made out to another name than the proxy asks for", "ssl.fail_verify_san"
  elseif unnamed > 0 then
    return "tls-unverified", "the certificate of %s is refused, and the statistics do not say why", "ssl.fail_verify_error"
  elseif (link.of("upstream_cx_protocol_error") or 0) > 0 then
    return "protocol-mismatch", "%s answers with something that is not HTTP/2", "upstream_cx_protocol_error"
  elseif (link.of("ssl.connection_error") or 0) > 0 then
    return "protocol-mismatch", "the TLS handshake with %s fails before any certificate is judged: the port may speak plain text", "ssl.connection_error"
  elseif fail > 0 and timeout == 0 then
    return "refused", "connections to %s fail at once and do not time out: nothing listens there, or something rejects them", "upstream_cx_connect_fail"
  end
  return nil
end

local SHOW = "openssl s_client -connect HOST:PORT -servername HOST -alpn h2 -showcerts </dev/null"

-- What to do, and the command for it.
local STEPS = {
  ["dns-failed"] = { "look the name up from where the proxy runs, then correct the name or create the record", "getent hosts HOST" },
  ["dns-unreachable"] = { "see which resolver the proxy asks and whether it answers; open port 53 to it", "cat /etc/resolv.conf; dig +time=3 HOST" },
  ["xds-cluster-overflow"] = { "raise circuit_breakers of the xDS cluster in the bootstrap" },
  ["timeout"] = { "open the way to the server: route, security group, network policy, firewall", "nc -vz -w 5 HOST PORT" },
  ["tls-name-mismatch"] = { "connect by a name that the certificate holds, or correct sni and match_typed_subject_alt_names", SHOW },
  ["tls-unverified"] = { "look at the certificate: who signed it, its dates; compare both clocks", SHOW },
  ["protocol-mismatch"] = { "make both sides agree on TLS or plain text, and on HTTP/2", SHOW },
  ["refused"] = { "see whether the management server runs and listens on that port", "nc -vz -w 5 HOST PORT" },
}

local function advise(finding, link, slug)
  local step = STEPS[slug] or STEPS["tls-unverified"]
  return finding:advise(step[1], reach.command(step[2], link.server.name))
end

local function report_cause(ev, link, slug, format, leaf)
  local finding = report(ev, link, slug, format, shown(link))
  local sure = slug == "dns-failed" or slug == "dns-unreachable" or slug == "tls-name-mismatch"
  advise(finding:confidence(sure and "certain" or "likely"), link, slug)
  local record = leaf and (link.record(leaf) or select(2, ev:stat(leaf)))
  if record then finding:cite(record) end
  if slug == "tls-unverified" or slug == "protocol-mismatch" then
    ask_probe(ev, link, "what the port speaks, and which certificate it shows")
  elseif slug == "refused" or slug == "timeout" then
    ask_probe(ev, link, "whether the port is closed or the way to it, seen from where the proxy runs")
  end
  ask_log(ev, "the close line says in words what the counters only suggest")
end

-- The connection stands and each stream on it ends: the server's word, which only the log has.
local function report_ended(ev, link)
  local finding = report(ev, link, "not-connected", "the connection to %s stands, yet each stream on it ends: the server ends it, and the statistics do not say why", shown(link))
  for _, row in ipairs { { "permission-denied", "may refuse the proxy's identity" }, { "resource-not-found", "may not know the proxy's resource" },
    { "no-credentials", "may have got no credentials" }, { "unavailable", "may be shutting down" } } do
    finding:candidate("grpc-codes." .. row[1], { ["for"] = "the server " .. row[2] })
  end
  finding:cite(link.record("upstream_cx_active")):advise("read the close lines of the log: code and text are the server's answer")
  ask_log(ev, "the close line has the code and the text with which the server ends the stream")
end

-- Configured once and cut off now may be one unlucky moment; never configured is an outage.
local function report_unknown(ev, link)
  local once = (link.ok or 0) > 0
  local finding = report(ev, link, "not-connected", once and "the stream to %s is down at this moment; the proxy runs on what it got before"
    or "there is no connection to %s, and the statistics do not say why", shown(link))
  finding:advise("find out how far a connection gets from where the proxy runs: name, TCP, TLS")
  finding:severity(once and "warning" or "error"):confidence(once and "possible" or "certain")
  if link.closed[13] then finding:cite(link.closed[13]) end
  local hung_up = link.server.tls == "no" and (link.of("upstream_cx_destroy_remote_with_active_rq") or 0) > 0
    and "the proxy speaks plain text, and the peer closes each connection before it answers" or nil
  local against = link.of("membership_total") and link.of("membership_total") > 0 and "the xDS cluster has a host" or nil
  finding:candidate("ems-connection.refused", { ["for"] = "nothing may listen there" })
    :candidate("ems-connection.timeout", { ["for"] = "packets may be dropped on the way" })
    :candidate("ems-connection.dns-failed", { ["for"] = "the name may not resolve", against = against })
    :candidate("ems-connection.tls-unverified", { ["for"] = "the certificate may be refused", against = link.server.tls == "no" and "the bootstrap asks for plain text" or nil })
    :candidate("ems-connection.protocol-mismatch", { ["for"] = hung_up or "one side may speak TLS, the other not" })
    :candidate("grpc-codes.permission-denied", { ["for"] = "the server may refuse the stream", against = link.closed[13] and "the counters hold code 13 only" or nil })
  ask_log(ev, "the close line tells who ended the stream and why")
  ask_probe(ev, link, "DNS, TCP and TLS are told apart by a probe from where the proxy runs")
end

local function is_down(link)
  if link.ok == 0 and link.failures >= 3 then return true end
  if link.connected >= 1 then return false end
  return link.failures > 0 or (link.of("upstream_cx_connect_fail") or 0) > 0 or not link.uptime or link.uptime >= 10
end

-- What tools told: counters only suggest.
local function report_by_hand(ev, link)
  local host, port = link.server.name:match("^(.+):(%d+)$")
  if not host then host, port = reach.server(ev) end
  local slug, why, record, well = reach.decide(ev, host, port)
  link.well = well
  if not slug then return false end
  local finding = report(ev, link, slug, "%s is not connected: %s", shown(link), why)
  advise(finding:confidence("likely"):cite(record), link, slug)
  return true
end

local function server_spoke(link)
  for code in pairs(link.closed) do
    if code ~= "any" and code ~= 0 and code ~= 13 then return true end
  end
  return false
end

local function has_no_server(ev, link)
  if link.connected then return false end
  return ev:state("bootstrap") == "complete" and link.server.client == nil or not link.attempts
end

local function run(ev)
  local link = read(ev)
  if has_no_server(ev, link) then
    ev:not_applicable("nothing shows that this proxy has a management server")
  elseif not link.connected then
    if (link.ok or 0) == 0 then ask_log(ev, "the statistics given do not hold control_plane.connected_state") end
  elseif log_speaks(ev, link) then
    return
  elseif is_silent(link) then
    report_silence(ev, link)
  elseif is_down(link) and not server_spoke(link) then
    if (link.ok or 0) == 0 and report_by_hand(ev, link) then return end
    local slug, format, leaf = certain_cause(ev, link)
    if slug and (link.ok or 0) == 0 then
      report_cause(ev, link, slug, format, leaf)
    elseif (link.ok or 0) == 0 and (link.of("upstream_cx_active") or 0) > 0 then
      report_ended(ev, link)
    else
      report_unknown(ev, link)
    end
  end
end

local EXPLAINS = {
  "probes.pre-initializing", "probes.initializing", "probes.live-unconfigured", "probes.listeners-unanswered",
  "probes.eds-unanswered", "probes.secret-unanswered", "probes.routes-unanswered", "config-rejected.fetch-timed-out",
  "lb-health.no-listener", "lb-health.backend-unready",
}

local function kind(title)
  return { title = title, severity = "error", explains = EXPLAINS }
end

return debrief.check {
  id = "ems-connection/counters",
  title = "what do the statistics tell of the link to the management server?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "xds", "appmesh", "istio", "consul", "gateway" },
  needs = {
    "stats{*control_plane.connected_state}", "?stats{cluster_manager.cds.*}", "?stats{listener_manager.lds.*}", "?stats{dns.cares.*}",
    "?stats{server.uptime}", "?stats{grpc.*.streams_*}", "?stats{cluster.*.membership_total}", "?stats{cluster.*.upstream_rq_active}",
    "?stats{cluster.*.upstream_cx_active}",
    "?stats{cluster.*.upstream_cx_destroy_remote_with_active_rq}", "?stats{cluster.*.upstream_cx_connect_*}", "?stats{cluster.*.upstream_cx_protocol_error}", "?stats{cluster.*_overflow}",
    "?stats{cluster.*.ssl.fail_verify_*}", "?stats{cluster.*.ssl.connection_error}", "?bootstrap", "?proxy", "?log.xds_closed", "?log.fetch_timeout",
    "?net.dns", "?net.connect", "?net.tls",
  },
  findings = {
    ["ems-connection.no-answer"] = kind("the server never answers"),
    ["ems-connection.refused"] = kind("the connection is refused"),
    ["ems-connection.timeout"] = kind("the server cannot be reached"),
    ["ems-connection.dns-failed"] = kind("the server's name does not resolve"),
    ["ems-connection.dns-unreachable"] = kind("the resolver does not answer"),
    ["ems-connection.tls-unverified"] = kind("the server's certificate is refused, the reason is not told"),
    ["ems-connection.tls-expired"] = kind("the server's certificate has expired"),
    ["ems-connection.clock-skew"] = kind("the server's certificate is not yet valid"),
    ["ems-connection.client-certificate-refused"] = kind("the proxy's certificate is refused"),
    ["ems-connection.tls-name-mismatch"] = kind("the server's certificate is for another name"),
    ["ems-connection.protocol-mismatch"] = kind("proxy and server speak different protocols"),
    ["ems-connection.xds-cluster-overflow"] = kind("the circuit breaker of the xDS cluster is open"),
    ["ems-connection.not-connected"] = kind("no connection to the management server"),
  },
  run = run,
}
