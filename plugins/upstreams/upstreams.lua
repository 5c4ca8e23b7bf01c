-- What becomes of requests behind the proxy: the way that each takes through the configuration, and where it breaks.
-- Reads the access log's response flags, the texts that Envoy answers with, statistics, /clusters and the walk through
-- the configuration. A counter that only grew at some time proves nothing about now: it is information. Clusters of the
-- management server are another section's, and a cluster without endpoints that nobody asks for is no incident.

local match = debrief.match
local access = debrief.use "access_log"
local way = debrief.use "request_way"

local DOCS = "https://www.envoyproxy.io/docs/envoy/latest/"
local FLAGS = DOCS .. "configuration/observability/access_log/usage#config-access-log-format-response-flags"
local BREAKING = DOCS .. "intro/arch_overview/upstream/circuit_breaking"
local STATS = DOCS .. "configuration/upstream/cluster_manager/cluster_stats"

-- Clusters of the mesh itself, and those that are meant to have no hosts.
local HOUSE = [[(?i)^(xds|ads|sds|als|agent|prometheus_stats|zipkin|jaeger|otel|tracing|service_stats|admin|self_admin|.*management_server|]]
  .. [[xds[-_].*|.*xds[-_]?(cluster|grpc|server)|sds-grpc|local_agent|blackholecluster|.*passthrough.*|block_?all|wasm_cluster|]]
  .. [[ads_cluster|xds_cluster|rate_?limit(_cluster|_service)?|contour|envoy-admin|envoy-stats|service-stats|kuma[_:].*|inboundpassthrough.*)$]]

local function short(text)
  return #text > 1600 and text:sub(1, 1600) .. " ..." or text
end

-- ---- the way of a request ----

local function cluster_of(walk, record)
  return record and access.cluster(record) or way.cluster(walk)
end

-- What a broken walk is called, and whom it is about.
local function verdict_of(walk)
  local hop = walk.broke
  if hop.kind == "endpoints" then
    local empty = hop.why:find("^has no endpoint")
    return empty and "upstreams.endpoints-missing" or "upstreams.no-healthy-host", "cluster", hop.name
  end
  if hop.kind == "filter-chain" then return "upstreams.no-filter-chain", "listener", walk.hops[1].name end
  if hop.kind == "cluster" then return "upstreams.no-route", "cluster", hop.name end
  for _, each in ipairs(walk.hops) do
    if each.kind == "route-config" then return "upstreams.no-route", "route-config", each.name end
  end
  return "upstreams.no-route", "listener", walk.hops[1].name ~= "" and walk.hops[1].name or "envoy"
end

local ADVICE = {
  ["upstreams.no-route"] = { "name this host in a virtual host and this path in a route of it, where the routes are made; "
    .. "a caller that sends another Host or path than it should is the other half of the question",
    "curl -s 'http://ADMIN/config_dump?resource=dynamic_route_configs'" },
  ["upstreams.no-filter-chain"] = { "give the listener a filter chain for this server name, port and protocol (or a default one), or "
    .. "let the client send what the listener expects", "curl -s 'http://ADMIN/config_dump?resource=dynamic_listeners'" },
  ["upstreams.endpoints-missing"] = { "see why nothing is registered: the service's selector and ready pods (kubectl get endpointslices), "
    .. "Cloud Map instances, or the DNS name", "curl -s http://ADMIN/clusters" },
  ["upstreams.no-healthy-host"] = { "see why its hosts count as unhealthy: failed_active_hc (what the health check asks and is answered), "
    .. "failed_outlier_check (ejected for errors), failed_eds_health (the control plane says so)", "curl -s http://ADMIN/clusters" },
}

local function advise(finding, id)
  local advice = ADVICE[id]
  if advice then finding:advise(advice[1], advice[2]) end
  return finding
end

-- ---- --param upstreams.request ----

local function parse_request(ev, text)
  local part = match(text, [[^(?:(?<method>[A-Z]+)\s+)?(?:(?<scheme>https?)://)?(?<host>\[[0-9a-fA-F:]+\]|[^/:\s]+)(?::(?<port>\d{1,5}))?(?<path>/\S*)?$]])
  local port = part and tonumber(part.port or "")
  if not part or (port and (port < 1 or port > 65535)) then return nil end
  local address = (ev:first("proxy") or {}).mode ~= "gateway" and part.port and match(part.host, [[^\d+\.\d+\.\d+\.\d+$]]) and part.host or nil
  return { method = part.method or "GET", address = address, host = part.host .. (part.port and ":" .. part.port or ""), path = part.path or "/",
    tls = part.scheme == "https", port = port and math.tointeger(port) or (part.scheme == "https" and 443 or 80) }, port ~= nil
end

local function judge_request(ev)
  local text = ev:param("request")
  if text == "" then return end
  local request, port_known = parse_request(ev, text)
  if not request then
    ev:ask { evidence = "--param upstreams.request", why = "the request '" .. text .. "' cannot be read",
      how = "--param upstreams.request=\"GET http://host/path\"" }
    return
  end
  local walk, others = way.through(ev, request, port_known)
  local id, kind, name = "upstreams.request-path", "proxy", (ev:first("proxy") or {}).node_id or "envoy"
  if walk.broke and (walk.ends == "answered" or walk.ends == "reset") and not others then id, kind, name = verdict_of(walk) end
  local finding = ev:report(id, kind, name, "%s", short(string.format("%s: %s%s. %s%s", text, way.ending(walk),
    walk.depends and " (may depend on " .. walk.depends .. ")" or "", others or "", way.words(walk))))
  for _, hop in ipairs(walk.hops) do finding:cite(hop.record) end
  finding:walked(walk)
  if id ~= "upstreams.request-path" then advise(finding, id):reference(FLAGS) end
  if walk.depends then finding:confidence("likely") end
  if walk.unknown and walk.unknown:find("in evidence", 1, true) then
    ev:ask { evidence = "admin/config_dump.json, admin/clusters.json", why = walk.unknown,
      how = "curl -s http://ADMIN/config_dump > config_dump.json; curl -s 'http://ADMIN/clusters?format=json' > clusters.json" }
  elseif others or (walk.unknown and walk.unknown:find("address", 1, true)) then
    ev:ask { evidence = "--param upstreams.request", why = others and "no listener has that port: the one that is meant must be told by its port"
      or walk.unknown, how = "--param upstreams.request=\"GET http://HOST:PORT/path\", with the address as HOST where several listeners share the port" }
  end
end

-- ---- which clusters count ----

local function house_clusters(ev)
  local house = {}
  for record in ev:each("bootstrap") do if record.target then house[record.target] = true end end
  return function(name) return house[name] or match(name, HOUSE) ~= nil end
end

-- Clusters that a route or a TCP proxy leads to; nil when the routes are not known.
local function routed_clusters(ev)
  if ev:state("xds.routes") ~= "complete" and ev:state("xds.filter_chains") ~= "complete" then return nil end
  local routed = {}
  local function add(list) for name in (list or ""):gmatch("[^,]+") do routed[name] = true end end
  for record in ev:each("xds.routes") do
    if record.action == "cluster" or record.action == "weighted" then add(record.target) end
  end
  for record in ev:each("xds.filter_chains") do add(record.clusters) end
  return routed
end

-- ---- counters ----

-- cluster -> counter -> { value, change, record }
local function read_stats(ev)
  local stats = {}
  for record in ev:each("stats") do
    local cluster, counter
    for _, pattern in ipairs { "(upstream_[%w_]+)", "(ssl%.[%w_]+)", "(circuit_breakers%.default%.[%w_]+)", "(membership_[%w_]+)" } do
      if not cluster then cluster, counter = (record.name or ""):match("^cluster%.(.+)%." .. pattern .. "$") end
    end
    local value = ev:number(record, "value")
    if cluster and value then
      stats[cluster] = stats[cluster] or {}
      stats[cluster][counter] = { value = value, change = ev:number(record, "change"), record = record }
    end
  end
  return stats
end

local function value(counters, name)
  return counters[name] and counters[name].value or 0
end

local function grows(counters, name)
  return counters[name] ~= nil and (counters[name].change or 0) > 0
end

-- Whether a second sample tells of NAME. One in which nobody asked the cluster for anything tells nothing.
local function sampled(counters, name)
  if not (counters[name] and counters[name].change) then return false end
  return grows(counters, name) or grows(counters, "upstream_cx_total") or grows(counters, "upstream_rq_total")
end

-- A counter without a second sample tells of some time since the start.
local function ask_sample(ev)
  ev:ask { evidence = "a second sample of the statistics, taken while requests come", why = "counters run since the proxy's start: only growth shows present trouble",
    how = "@debrief@ --sample 10s" }
end

local function old_counter(ev, facts, id, cluster, counters, name, text)
  if value(counters, name) == 0 or facts.told[id .. " " .. cluster] then return end
  local finding = ev:report(id, "cluster", cluster, text .. "%s", value(counters, name),
    sampled(counters, name) and ", none of them while it was watched" or " since the proxy started; whether it still happens is not known")
    :severity("info"):cite(counters[name].record)
  if sampled(counters, name) then finding:when("before") else ask_sample(ev) end
end

-- ---- circuit breakers ----

local function limits_of(facts, cluster)
  local record = facts.running[cluster] or facts.configured[cluster]
  return {
    connections = record and tonumber(record.max_connections), pending = record and tonumber(record.max_pending_requests),
    requests = record and tonumber(record.max_requests), record = record,
  }
end

-- Up to 1.37 one counter stands for two limits: the gauge that is open decides, then the smaller limit.
local function which_limit(facts, cluster, counters)
  local limits = limits_of(facts, cluster)
  if value(counters, "circuit_breakers.default.rq_open") > 0 then return "upstreams.request-overflow", limits, true end
  if value(counters, "circuit_breakers.default.rq_pending_open") > 0 then return "upstreams.pending-overflow", limits, true end
  if value(counters, "upstream_rq_active_overflow") > 0 then return "upstreams.request-overflow", limits, true end
  local requests, pending = limits.requests or 1024, limits.pending or 1024
  if requests ~= pending then return requests < pending and "upstreams.request-overflow" or "upstreams.pending-overflow", limits, limits.record ~= nil end
  return "upstreams.pending-overflow", limits, false
end

local WORDS = {
  ["upstreams.pending-overflow"] = { "max_pending_requests", "pending", "requests that wait for a connection" },
  ["upstreams.request-overflow"] = { "max_requests", "requests", "requests that run at once" },
  ["upstreams.connection-overflow"] = { "max_connections", "connections", "connections" },
}

local function advise_limit(finding, id, limits)
  local word = WORDS[id]
  finding:snippet("raise the limit where the cluster is made (App Mesh: connectionPool of the virtual node; Istio: "
    .. "DestinationRule trafficPolicy.connectionPool; Consul: upstream limits), if the backend can take more", "cluster.yaml",
    string.format("circuit_breakers:\n  thresholds:\n  - priority: DEFAULT\n    %s: %d\n", word[1], (limits[word[2]] or 1024) * 4))
    :advise("or find why requests pile up: a slow backend fills any limit", "curl -s 'http://ADMIN/stats?filter=" .. "upstream_rq_(active|pending_active|time)'")
    :reference(BREAKING)
end

local function judge_breakers(ev, facts, cluster, counters)
  local id, limits, sure = which_limit(facts, cluster, counters)
  local open = value(counters, "circuit_breakers.default.rq_open") + value(counters, "circuit_breakers.default.rq_pending_open") > 0
  local overflow = value(counters, "upstream_rq_pending_overflow") + value(counters, "upstream_rq_active_overflow")
  local growing = grows(counters, "upstream_rq_pending_overflow") or grows(counters, "upstream_rq_active_overflow")
  local counter = counters.upstream_rq_active_overflow and counters.upstream_rq_active_overflow.value > 0 and "upstream_rq_active_overflow"
    or "upstream_rq_pending_overflow"
  local share = overflow / (overflow + value(counters, "upstream_rq_total"))
  local word = WORDS[id]
  if overflow > 0 and (open or growing or (share >= 0.1 and overflow >= 10 and not sampled(counters, counter))) then
    local lasting = open or growing
    local finding = ev:report(id, "cluster", cluster, "requests to cluster %s are refused: the circuit breaker %s (%s) lets no more %s through; "
      .. "%d were answered 503 with flag UO", cluster, word[1], limits[word[2]] and string.format("%d", limits[word[2]]) or "1024 by default", word[3], overflow)
      :cite(counters[counter].record):cite(limits.record)
    if lasting then finding:when("now") else finding:severity("warning"):confidence("likely") ask_sample(ev) end
    if not sure then
      finding:confidence("likely"):candidate(id, { ["for"] = "the requests that wait are the usual limit with HTTP/1" })
        :candidate("upstreams.request-overflow", { ["for"] = "up to Envoy 1.37 the same counter stands for max_requests" })
    end
    advise_limit(finding, id, limits)
    facts.told[id .. " " .. cluster] = true
  else
    old_counter(ev, facts, id, cluster, counters, counter, "%d requests were refused by a circuit breaker")
  end
end

-- A full connection pool alone refuses nothing with HTTP: requests then wait. With TCP the connection is closed.
local function judge_connections(ev, facts, cluster, counters)
  local id = "upstreams.connection-overflow"
  local requests = value(counters, "upstream_rq_total") + value(counters, "upstream_rq_pending_overflow")
  if value(counters, "upstream_cx_overflow") == 0 or requests > 0 then return end
  if grows(counters, "upstream_cx_overflow") or value(counters, "circuit_breakers.default.cx_open") > 0 then
    local limits = limits_of(facts, cluster)
    local finding = ev:report(id, "cluster", cluster, "connections to cluster %s are refused: its limit of %s connections is reached (%d times)", cluster,
      limits.connections and string.format("%d", limits.connections) or "1024", value(counters, "upstream_cx_overflow"))
      :when("now"):cite(counters.upstream_cx_overflow.record):cite(limits.record)
    advise_limit(finding, id, limits)
  else
    old_counter(ev, facts, id, cluster, counters, "upstream_cx_overflow", "%d connections met the limit of connections")
  end
end

-- ---- connections and TLS ----

local function judge_tls(ev, facts, cluster, counters)
  local id, worst = "upstreams.tls-verify-failed", nil
  for name, why in pairs { ["ssl.fail_verify_san"] = "has none of the names that are expected", ["ssl.fail_verify_error"] = "does not pass (unknown authority, expired or not yet valid)",
    ["ssl.fail_verify_cert_hash"] = "has another hash than expected", ["ssl.fail_verify_no_cert"] = "is missing" } do
    if value(counters, name) > 0 then worst = { name, why } end
  end
  if not worst then return end
  local name, why = worst[1], worst[2]
  -- The verification of a certificate does not fail by chance: if no handshake ever succeeded, it fails still.
  if not (grows(counters, name) or (value(counters, "ssl.handshake") == 0 and not sampled(counters, name))) then
    return old_counter(ev, facts, id, cluster, counters, name, "the certificate of the upstream was refused %d times")
  end
  local finding = ev:report(id, "cluster", cluster, "the certificate of the hosts of cluster %s %s: %d handshakes failed and the requests were answered 503",
    cluster, why, value(counters, name)):when("now"):cite(counters[name].record):cite(facts.configured[cluster])
    :advise("compare the certificate that the host shows with the authority and the names that the cluster demands",
      "openssl s_client -connect HOST:PORT -servername NAME -showcerts </dev/null")
    :reference(DOCS .. "intro/arch_overview/security/ssl")
  facts.told[id .. " " .. cluster] = true
  if name == "ssl.fail_verify_error" then
    finding:advise("trust the authority that issued it (trusted_ca), or renew it where it is made")
    ev:ask { evidence = "net.tls: openssl s_client output", why = "the counter is the same for an unknown authority, an expired certificate and one that is not yet valid",
      how = "openssl s_client -connect HOST:PORT -servername NAME -showcerts </dev/null 2>&1 | tee s_client.txt, then --evidence s_client.txt" }
  else
    finding:advise("let the certificate name what the cluster expects (subject alternative name), or expect the name that it has (match_typed_subject_alt_names, App Mesh: subjectAlternativeNames)")
  end
end

local function judge_connect(ev, facts, cluster, counters)
  local id = "upstreams.connect-fail"
  local failed = value(counters, "upstream_cx_connect_fail")
  local total = counters.upstream_cx_total and value(counters, "upstream_cx_total") or value(counters, "upstream_cx_destroy")
  local counter = counters.upstream_cx_connect_fail
  if failed == 0 or facts.told["upstreams.tls-verify-failed " .. cluster] then return end
  local all = total > 0 and failed >= total and value(counters, "upstream_cx_active") == 0 and not sampled(counters, "upstream_cx_connect_fail")
  if not (grows(counters, "upstream_cx_connect_fail") or all) then
    return old_counter(ev, facts, id, cluster, counters, "upstream_cx_connect_fail", "%d connections to the upstream failed")
  end
  local handshakes = value(counters, "ssl.connection_error") > 0
  local finding = ev:report(id, "cluster", cluster, "%s cluster %s fail%s (%d of %d): requests are answered 503 with flag UF", all and "all connections to" or "connections to",
    cluster, handshakes and " in the TLS handshake" or "", failed, total):when("now"):cite(counter.record):cite(facts.running[cluster])
  local place = "HOST PORT"
  for record in ev:each("hosts", "cluster", cluster) do
    if (ev:number(record, "cx_connect_fail") or 0) > 0 then
      place = place == "HOST PORT" and (record.address or ""):gsub("^(.*):(%d+)$", "%1 %2") or place
      finding:cite(record)
    end
  end
  finding:advise("see from the proxy's own host whether the endpoint's address and port are open: is the application listening there, do security groups "
    .. "or network policies let the proxy in", "nc -vz " .. place):reference(STATS)
  if handshakes then finding:advise("and whether both sides speak TLS, or none", "openssl s_client -connect " .. place:gsub(" (%S+)$", ":%1") .. " </dev/null") end
  facts.told[id .. " " .. cluster] = true
end

-- ---- endpoints ----

local function host_health(ev, cluster)
  local health = { all = 0, pending = 0, active = 0, ejected = 0, eds = 0 }
  for record in ev:each("hosts") do
    if record.cluster == cluster then
      local flags = record.health or ""
      health.all = health.all + 1
      health.record = health.record or record
      if flags:find("/failed_active_hc", 1, true) then health.active = health.active + 1 end
      if flags:find("/failed_outlier_check", 1, true) then health.ejected = health.ejected + 1 end
      if flags:find("/failed_eds_health", 1, true) or flags:find("/eds_status_draining", 1, true) then health.eds = health.eds + 1 end
    end
  end
  return health
end

local function reason_of(health)
  local parts = {}
  if health.active > 0 then parts[#parts + 1] = string.format("%d fail the active health check", health.active) end
  if health.ejected > 0 then parts[#parts + 1] = string.format("%d are ejected by outlier detection", health.ejected) end
  if health.eds > 0 then parts[#parts + 1] = string.format("%d are called unhealthy or draining by the management server", health.eds) end
  return #parts > 0 and table.concat(parts, ", ") or "none may take traffic"
end

-- A first check without an answer is not a failed one: attempts, and neither success nor failure.
local function is_pending(ev, cluster)
  local attempts, success, failure = ev:stat("cluster." .. cluster .. ".health_check.attempt"), ev:stat("cluster." .. cluster .. ".health_check.success"),
    ev:stat("cluster." .. cluster .. ".health_check.failure")
  return attempts ~= nil and success == 0 and failure == 0
end

local function judge_empty(ev, facts, record, demand)
  local name, configured = record.name, facts.configured[record.name]
  local kind = configured and configured.type
  if kind and (kind == "ORIGINAL_DST" or kind:find(".", 1, true)) or not (demand or (kind and facts.routed and facts.routed[name] and not facts.meshed)) then return end
  local why = (kind == "STRICT_DNS" or kind == "LOGICAL_DNS") and "its DNS name gives no address"
    or kind == "EDS" and "the management server names none" or kind == "STATIC" and "none is configured" or "nobody named any"
  local finding = ev:report("upstreams.endpoints-missing", "cluster", name, "cluster %s has no endpoint: %s%s", name, why,
    demand and "; requests to it are answered 503 with flag UH" or ""):when("now"):cite(record):cite(configured):cite(demand)
  if not demand then finding:severity("warning") end
  if not kind then finding:confidence("likely") end
  advise(finding, "upstreams.endpoints-missing"):reference(STATS)
  if kind == "STRICT_DNS" or kind == "LOGICAL_DNS" then
    finding:advise("look the name up from the proxy's own host", "getent hosts " .. ((configured.endpoints or "NAME"):match("^[%w.-]+") or "NAME"))
  end
  facts.told["UH " .. name] = true
end

local function judge_unhealthy(ev, facts, record, demand)
  local name = record.name
  local health = host_health(ev, name)
  local known = not facts.routed or facts.routed[name]
  if is_pending(ev, name) or not (demand or known) then return end
  local panic = tonumber((facts.configured[name] or {}).panic_threshold or "50") > 0
  local finding = ev:report("upstreams.no-healthy-host", "cluster", name, "no host of cluster %s is healthy: of %d, %s%s", name, health.all, reason_of(health),
    panic and " (panic mode: requests go to them all the same)" or ": requests are answered 503 with flag UH")
    :when("now"):cite(record):cite(health.record):cite(demand)
  if health.eds == health.all and not demand then finding:severity("warning") end
  advise(finding, "upstreams.no-healthy-host"):reference(DOCS .. "intro/arch_overview/upstream/health_checking")
  facts.told["UH " .. name] = true
end

local function judge_endpoints(ev, facts)
  for record in ev:each("clusters") do
    local name = record.name
    local hosts, healthy = ev:number(record, "hosts"), ev:number(record, "healthy_hosts")
    if name and hosts and not facts.is_house(name) then
      local counters = facts.stats[name] or {}
      local counter = counters.upstream_cx_none_healthy
      local demand = counter and counter.value > 0 and not (sampled(counters, "upstream_cx_none_healthy") and counter.change == 0) and counter.record or facts.wanted[name]
      if hosts == 0 then
        judge_empty(ev, facts, record, demand)
      elseif healthy == 0 then
        judge_unhealthy(ev, facts, record, demand)
      end
    end
  end
end

-- ---- the access log ----

-- Start-up: what nobody could answer within the first minute says nothing of the rest.
local function at_start(ev, record)
  local time = ev:time(record)
  for start in ev:each("log.start") do
    local began = ev:time(start)
    if time and began and time >= began - 5 and time - began < 60 and start.step and start.step:find("epoch", 1, true) then return true end
  end
  return false
end

local function add_group(groups, key, record)
  if not groups[key] then
    groups[key] = { record = record, count = 0, list = {} }
    groups[#groups + 1] = groups[key]
  end
  local group = groups[key]
  group.count = group.count + 1
  group.last = record
  if #group.list < 3 then group.list[#group.list + 1] = record end
end

-- Errors by flag and by what was asked; checkers' requests belong to lb-health.
local function read_access(ev)
  local groups = {}
  for record in ev:each("access.error") do
    local counts = not access.is_checker(record) and not match(access.cluster(record) or "", [[^(BlackHoleCluster|block_?all)$]])
    for _, flag in ipairs { "UH", "UF", "UO", "NR", "NC", "UPE" } do
      if counts and access.has_flag(record, flag) then
        local key = flag .. " " .. (record.authority or "-") .. (flag == "NR" and " " .. (record.path or ""):gsub("%?.*$", "") or "")
        add_group(groups, key, record)
        groups[key].flag = flag
      end
    end
  end
  return groups
end

local function request_of(record)
  local authority = record.authority ~= "-" and record.authority or nil
  return { method = record.method ~= "-" and record.method or nil, host = authority, path = record.path ~= "-" and record.path or nil,
    port = math.tointeger(tonumber((authority or ""):match(":(%d+)$") or "")) }
end

-- A name, not an address: whoever asks for an address or nothing is a scanner or a checker.
local function is_name(authority)
  return authority and authority ~= "-" and match(authority, [[^[a-zA-Z][\w.-]*(:\d+)?$]]) ~= nil
end

-- The first lines as proof; the last one tells until when.
local function cite_group(ev, finding, group)
  for _, record in ipairs(group.list) do finding:cite(record) end
  return finding:span { count = group.count, last = ev:time(group.last) }:reference(FLAGS)
end

-- Requests that were led on to hosts.
local function led_on(facts)
  local sum = 0
  for cluster, counters in pairs(facts.stats) do
    if not facts.is_house(cluster) then sum = sum + value(counters, "upstream_rq_total") end
  end
  return sum
end

local function judge_no_route(ev, facts, group)
  local record = group.record
  if not record.method or record.method == "-" then -- TCP: a connection, no request
    local finding = ev:report("upstreams.no-filter-chain", "listener", "listener", "connections are closed because no filter chain of the listener "
      .. "takes them (flag NR, %d times)", group.count)
    return advise(cite_group(ev, finding, group), "upstreams.no-filter-chain")
  end
  local walk = way.through(ev, request_of(record), false)
  local broke = walk.broke and walk.ends == "answered" and (walk.flag == "NR" or walk.flag == "NC") and walk.broke
  local _, kind, name = nil, "proxy", (ev:first("proxy") or {}).node_id or "envoy"
  if broke then _, kind, name = verdict_of(walk) end
  local finding = ev:report("upstreams.no-route", kind, name, "%s", short(string.format("%s %s with Host '%s' is answered %s %s%s", record.method, record.path or "/",
    record.authority or "", record.code or "404", group.flag, broke and ": " .. broke.why or group.flag == "NC"
      and ": its route leads to a cluster that the proxy does not have" or ": no virtual host or route matches it")))
  finding:walked(walk)
  if broke then finding:cite(broke.record) end
  if group.flag == "NR" and (not is_name(record.authority) or group.count < 3) then
    -- one or two beside many that are served: whoever sends them asks for what nobody ever offered here
    finding:severity(is_name(record.authority) and led_on(facts) < 10 * group.count and "warning" or "info")
  end
  if walk.ends == "forwarded" then finding:severity("info"):when("before") end
  advise(cite_group(ev, finding, group), "upstreams.no-route")
  if walk.unknown then
    ev:ask { evidence = "admin/config_dump.json", why = "the virtual hosts and routes tell what the request should have met",
      how = "curl -s http://ADMIN/config_dump > config_dump.json, then --evidence" }
  end
end

local function judge_unhealthy_answers(ev, facts, group)
  local walk = way.through(ev, request_of(group.record), false)
  local cluster = cluster_of(walk, group.record)
  if cluster and walk.broke and walk.broke.kind == "endpoints" then
    facts.wanted[cluster] = group.record -- the state of the cluster tells the rest
    if ev:state("clusters") ~= "absent" then return end
  end
  local over = walk.ends == "forwarded" and not walk.depends and ev:state("clusters") == "complete"
  local finding = ev:report("upstreams.no-healthy-host", cluster and "cluster" or "proxy", cluster or (ev:first("proxy") or {}).node_id or "envoy",
    "requests with Host '%s' were answered 503 UH: no host of %s could take them%s", group.record.authority or "", cluster and "cluster " .. cluster or "the upstream cluster",
    over and "; now it has healthy hosts" or "")
  cite_group(ev, finding, group):walked(walk)
  local early = at_start(ev, group.last)
  if over or early then
    finding:severity("info"):when("before")
  else
    advise(finding, "upstreams.no-healthy-host")
    ev:ask { evidence = "admin/clusters.json", why = "it tells whether the cluster has no hosts or only unhealthy ones, and why",
      how = "curl -s 'http://ADMIN/clusters?format=json' > clusters.json, then --evidence" }
  end
end

local function judge_failed(ev, facts, group)
  local record = group.record
  local cluster = cluster_of(way.through(ev, request_of(record), false), record)
  local host = access.host(record)
  local id, text, fix, command = access.failure(record)
  if facts.told[id .. " " .. (cluster or "")] or (cluster and facts.told["upstreams.tls-verify-failed " .. cluster]) then return end
  local finding = ev:report(id, cluster and "cluster" or "address", cluster or host or record.authority or "upstream",
    text .. ": requests with Host '%s' are answered %s UF", host or cluster or "the upstream", record.authority or "", record.code or "503")
  cite_group(ev, finding, group)
  if at_start(ev, group.last) then finding:severity("info"):when("before") return end
  if group.count < 3 and id == "upstreams.connect-fail" then finding:severity("warning"):confidence("likely") end
  local place = match(host or "", [[^(?<host>[\w.-]+):(?<port>\d+)$]])
  finding:advise(fix, place and command and command:gsub("HOST", place.host):gsub("PORT", place.port) or command)
end

-- Without a configuration to follow: the only cluster that there is.
local function only_cluster(ev, facts)
  local only
  for record in ev:each("clusters") do
    if record.name and not facts.is_house(record.name) then
      if only then return nil end
      only = record.name
    end
  end
  return only
end

local function judge_overflow(ev, facts, group)
  local cluster = cluster_of(way.through(ev, request_of(group.record), false), group.record) or only_cluster(ev, facts)
  local id = group.record.method == "-" and "upstreams.connection-overflow" or which_limit(facts, cluster or "", facts.stats[cluster or ""] or {})
  if facts.told[id .. " " .. (cluster or "")] then return end
  local finding = ev:report(id, cluster and "cluster" or "proxy", cluster or (ev:first("proxy") or {}).node_id or "envoy",
    "%s '%s' are answered %s UO: a circuit breaker of the cluster refuses them", group.record.method == "-" and "connections for" or "requests with Host",
    group.record.authority or "", group.record.code or "503")
  cite_group(ev, finding, group):reference(BREAKING):confidence("likely")
  advise_limit(finding, id, limits_of(facts, cluster or ""))
  ev:ask { evidence = "admin/clusters.json, admin/stats.txt", why = "the thresholds and the gauges that are open tell which limit it is",
    how = "curl -s 'http://ADMIN/clusters?format=json' > clusters.json; curl -s 'http://ADMIN/stats?filter=circuit_breakers|overflow' > stats.txt" }
end

local function judge_access(ev, facts)
  for _, group in ipairs(facts.groups) do
    if group.flag == "NR" or group.flag == "NC" then judge_no_route(ev, facts, group) end
    if group.flag == "UF" then judge_failed(ev, facts, group) end
    if group.flag == "UO" then judge_overflow(ev, facts, group) end
    if group.flag == "UPE" then
      cite_group(ev, ev:report("upstreams.protocol-error", "address", group.record.upstream or "upstream", "the upstream of Host '%s' answers in another protocol than it "
        .. "is asked in (flag UPE)", group.record.authority or ""), group)
        :advise("let the cluster speak what the application speaks: HTTP/2 (gRPC) or HTTP/1")
    end
  end
end

-- ---- the check ----

local function gather(ev)
  local facts = { stats = read_stats(ev), is_house = house_clusters(ev), routed = routed_clusters(ev), running = {}, configured = {}, told = {}, wanted = {},
    groups = read_access(ev) }
  local proxy = ev:first("proxy")
  facts.meshed = proxy and (proxy.mesh == "istio" or proxy.mesh == "consul" or proxy.mesh == "kuma") and proxy.mode ~= "gateway"
  for record in ev:each("clusters") do facts.running[record.name or ""] = record end
  for record in ev:each("xds.clusters") do facts.configured[record.name or ""] = record end
  return facts
end

local LB = { "lb-health.backend-unready", "probes.wrong-address" }

return debrief.check {
  id = "upstreams",
  title = "do requests find their way to hosts that answer?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "xds", "gateway", "istio", "consul" },
  needs = { "access.error | clusters | stats{cluster.*} | xds.listeners", "?access.error", "?clusters", "?hosts", "?stats{cluster.*}", "?xds.listeners",
    "?xds.filter_chains", "?xds.virtual_hosts", "?xds.routes", "?xds.clusters", "?bootstrap", "?proxy", "?log.start" },
  params = { request = { type = "string", default = "", help = "a request to follow, as \"GET http://host/path\"" } },
  findings = {
    ["upstreams.no-healthy-host"] = { title = "no host of a cluster may take requests", severity = "error", explains = LB },
    ["upstreams.endpoints-missing"] = { title = "a cluster has no endpoint", severity = "error", explains = LB },
    ["upstreams.pending-overflow"] = { title = "too many requests wait for a connection", severity = "error" },
    ["upstreams.request-overflow"] = { title = "too many requests at once", severity = "error" },
    ["upstreams.connection-overflow"] = { title = "too many connections to a cluster", severity = "error" },
    ["upstreams.no-route"] = { title = "no route, or one to a cluster that does not exist", severity = "error", explains = LB },
    ["upstreams.no-filter-chain"] = { title = "no filter chain takes the connection", severity = "error" },
    ["upstreams.connect-fail"] = { title = "connections to the upstream fail", severity = "error", explains = { "upstreams.no-healthy-host" } },
    ["upstreams.tls-verify-failed"] = { title = "the upstream's certificate is refused", severity = "error",
      explains = { "upstreams.connect-fail", "upstreams.no-healthy-host" } },
    ["upstreams.protocol-error"] = { title = "the upstream speaks another protocol", severity = "warning" },
    ["upstreams.request-path"] = { title = "the way of a request", severity = "info" },
  },
  run = function(ev)
    local facts = gather(ev)
    judge_request(ev)
    for _, group in ipairs(facts.groups) do
      if group.flag == "UH" then judge_unhealthy_answers(ev, facts, group) end
    end
    judge_endpoints(ev, facts)
    for cluster, counters in pairs(facts.stats) do
      if not facts.is_house(cluster) then
        judge_breakers(ev, facts, cluster, counters)
        judge_connections(ev, facts, cluster, counters)
        judge_tls(ev, facts, cluster, counters)
        judge_connect(ev, facts, cluster, counters)
      end
    end
    judge_access(ev, facts)
  end,
}
