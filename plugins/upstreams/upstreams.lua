-- Whether a request finds a host that may take it: the way that it goes through the configuration, and where that breaks.
-- Reads the access log's response flags, /clusters and the walk through the configuration. What becomes of requests on
-- their way to a host that is there is told elsewhere (connections.lua, breakers.lua). Clusters of the management server
-- are another section's, and a cluster without endpoints that nobody asks for is no incident.

local match = debrief.match
local access = debrief.use "access_log"
local counters = debrief.use "cluster_counters"
local way = debrief.use "request_way"

local DOCS = "https://www.envoyproxy.io/docs/envoy/latest/"
local FLAGS = DOCS .. "configuration/observability/access_log/usage#config-access-log-format-response-flags"
local STATS = DOCS .. "configuration/upstream/cluster_manager/cluster_stats"

local function short(text)
  return #text > 1600 and text:sub(1, 1600) .. " ..." or text
end

-- ---- the way of a request ----

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

-- What stands in the bootstrap, or routes in their listener: the page has it elsewhere than what was sent.
local function is_static(ev, walk, kind, name)
  for _, hop in ipairs(walk and walk.hops or {}) do
    for record in ev:each(name) do
      if hop.kind == kind and record.name == hop.name then return record.state == "static" end
    end
  end
  return false
end

local function advise(ev, finding, id, walk)
  local advice = ADVICE[id]
  if not advice then return finding end
  local command = advice[2]
  if is_static(ev, walk, "route-config", "xds.resources") then command = command:gsub("dynamic_route_configs", "static_route_configs") end
  if is_static(ev, walk, "listener", "xds.listeners") then command = command:gsub("dynamic_listeners", "static_listeners") end
  return finding:advise(advice[1], command)
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
  if id ~= "upstreams.request-path" then advise(ev, finding, id, walk):reference(FLAGS) end
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
  advise(ev, finding, "upstreams.endpoints-missing"):reference(STATS)
  if kind == "STRICT_DNS" or kind == "LOGICAL_DNS" then
    finding:advise("look the name up from the proxy's own host", "getent hosts " .. ((configured.endpoints or "NAME"):match("^[%w.-]+") or "NAME"))
  end
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
  advise(ev, finding, "upstreams.no-healthy-host"):reference(DOCS .. "intro/arch_overview/upstream/health_checking")
end

local function judge_endpoints(ev, facts)
  for record in ev:each("clusters") do
    local name = record.name
    local hosts, healthy = ev:number(record, "hosts"), ev:number(record, "healthy_hosts")
    if name and hosts and not facts.is_house(name) then
      local of = facts.stats[name] or {}
      local counter = of.upstream_cx_none_healthy
      local demand = counter and counter.value > 0 and not (counters.sampled(of, "upstream_cx_none_healthy") and counter.change == 0) and counter.record or facts.wanted[name]
      if hosts == 0 then
        judge_empty(ev, facts, record, demand)
      elseif healthy == 0 then
        judge_unhealthy(ev, facts, record, demand)
      end
    end
  end
end

-- ---- the access log ----

-- A name, not an address: whoever asks for an address or nothing is a scanner or a checker.
local function is_name(authority)
  return authority and authority ~= "-" and match(authority, [[^[a-zA-Z][\w.-]*(:\d+)?$]]) ~= nil
end

-- Requests that were led on to hosts.
local function led_on(facts)
  local sum = 0
  for cluster, of in pairs(facts.stats) do
    if not facts.is_house(cluster) then sum = sum + counters.value(of, "upstream_rq_total") end
  end
  return sum
end

local function judge_no_route(ev, facts, group)
  local record = group.record
  if not record.method or record.method == "-" then -- TCP: a connection, no request
    local finding = ev:report("upstreams.no-filter-chain", "listener", "listener", "connections are closed because no filter chain of the listener "
      .. "takes them (flag NR, %d times)", group.count)
    return advise(ev, access.cite(ev, finding, group), "upstreams.no-filter-chain")
  end
  local walk = way.through(ev, access.request(record), false)
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
  advise(ev, access.cite(ev, finding, group), "upstreams.no-route", walk)
  if walk.unknown then
    ev:ask { evidence = "admin/config_dump.json", why = "the virtual hosts and routes tell what the request should have met",
      how = "curl -s http://ADMIN/config_dump > config_dump.json, then --evidence" }
  end
end

local function judge_unhealthy_answers(ev, facts, group)
  local walk = way.through(ev, access.request(group.record), false)
  local cluster = (access.cluster(group.record) or way.cluster(walk))
  if cluster and walk.broke and walk.broke.kind == "endpoints" then
    facts.wanted[cluster] = group.record -- the state of the cluster tells the rest
    if ev:state("clusters") ~= "absent" then return end
  end
  local over = walk.ends == "forwarded" and not walk.depends and ev:state("clusters") == "complete"
  local finding = ev:report("upstreams.no-healthy-host", cluster and "cluster" or "proxy", cluster or (ev:first("proxy") or {}).node_id or "envoy",
    "requests with Host '%s' were answered 503 UH: no host of %s could take them%s", group.record.authority or "", cluster and "cluster " .. cluster or "the upstream cluster",
    over and "; now it has healthy hosts" or "")
  access.cite(ev, finding, group):walked(walk)
  local early = access.at_start(ev, group.last)
  if over or early then
    finding:severity("info"):when("before")
  else
    advise(ev, finding, "upstreams.no-healthy-host")
    ev:ask { evidence = "admin/clusters.json", why = "it tells whether the cluster has no hosts or only unhealthy ones, and why",
      how = "curl -s 'http://ADMIN/clusters?format=json' > clusters.json, then --evidence" }
  end
end

local function judge_access(ev, facts)
  for _, group in ipairs(facts.groups) do
    if group.flag == "NR" or group.flag == "NC" then judge_no_route(ev, facts, group) end
    if group.flag == "UPE" then
      access.cite(ev, ev:report("upstreams.protocol-error", "address", group.record.upstream or "upstream", "the upstream of Host '%s' answers in another protocol than it "
        .. "is asked in (flag UPE)", group.record.authority or ""), group)
        :advise("let the cluster speak what the application speaks: HTTP/2 (gRPC) or HTTP/1")
    end
  end
end

-- ---- the check ----

local function gather(ev)
  local facts = { stats = counters.read(ev), is_house = counters.house(ev), routed = routed_clusters(ev), configured = {}, wanted = {},
    groups = access.groups(ev, { "UH", "NR", "NC", "UPE" }) }
  local proxy = ev:first("proxy")
  facts.meshed = proxy and (proxy.mesh == "istio" or proxy.mesh == "consul" or proxy.mesh == "kuma") and proxy.mode ~= "gateway"
  for record in ev:each("xds.clusters") do facts.configured[record.name or ""] = record end
  return facts
end

local LB = { "lb-health.backend-unready", "probes.wrong-address" }

return debrief.check {
  id = "upstreams",
  title = "do requests find their way to hosts that may take them?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "xds", "gateway", "istio", "consul" },
  needs = { "access.error | clusters | stats{cluster.*} | xds.listeners", "?access.error", "?clusters", "?hosts", "?stats{cluster.*}", "?xds.listeners",
    "?xds.filter_chains", "?xds.virtual_hosts", "?xds.routes", "?xds.clusters", "?xds.resources{type=route}", "?bootstrap", "?proxy", "?log.start" },
  params = { request = { type = "string", default = "", help = "a request to follow, as \"GET http://host/path\"" } },
  findings = {
    ["upstreams.no-healthy-host"] = { title = "no host of a cluster may take requests", severity = "error", explains = LB },
    ["upstreams.endpoints-missing"] = { title = "a cluster has no endpoint", severity = "error", explains = LB },
    ["upstreams.no-route"] = { title = "no route, or one to a cluster that does not exist", severity = "error", explains = LB },
    ["upstreams.no-filter-chain"] = { title = "no filter chain takes the connection", severity = "error" },
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
    judge_access(ev, facts)
  end,
}
