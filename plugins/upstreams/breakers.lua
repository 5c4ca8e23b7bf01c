-- Requests and connections that a circuit breaker refuses: flag UO in the access log, overflow counters, and the gauges of
-- breakers that are open. A counter that only grew at some time proves nothing about now: beside lines of the access log
-- it says how often, alone it is information.

local access = debrief.use "access_log"
local counters = debrief.use "cluster_counters"
local way = debrief.use "request_way"

local BREAKING = "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/circuit_breaking"

local value, grows, sampled = counters.value, counters.grows, counters.sampled

local function limits_of(facts, cluster)
  local record = facts.running[cluster] or facts.configured[cluster]
  return {
    connections = record and tonumber(record.max_connections), pending = record and tonumber(record.max_pending_requests),
    requests = record and tonumber(record.max_requests), record = record,
  }
end

-- Up to 1.37 one counter stands for two limits: the gauge that is open decides, then the smaller limit.
local function which_limit(facts, cluster, of)
  local limits = limits_of(facts, cluster)
  if value(of, "circuit_breakers.default.rq_open") > 0 then return "upstreams.request-overflow", limits, true end
  if value(of, "circuit_breakers.default.rq_pending_open") > 0 then return "upstreams.pending-overflow", limits, true end
  if value(of, "upstream_rq_active_overflow") > 0 then return "upstreams.request-overflow", limits, true end
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

-- ---- the access log ----

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

local function judge_lines(ev, facts, group)
  local cluster = access.cluster(group.record) or way.cluster(way.through(ev, access.request(group.record), false)) or only_cluster(ev, facts)
  local id = group.record.method == "-" and "upstreams.connection-overflow" or which_limit(facts, cluster or "", facts.stats[cluster or ""] or {})
  local told = facts.told[id .. " " .. (cluster or "")]
  if told then -- the counters told it: the lines tell when
    access.cite(ev, told, group)
    return
  end
  local finding = ev:report(id, cluster and "cluster" or "proxy", cluster or (ev:first("proxy") or {}).node_id or "envoy",
    "%s '%s' are answered %s UO: a circuit breaker of the cluster refuses them", group.record.method == "-" and "connections for" or "requests with Host",
    group.record.authority or "", group.record.code or "503")
  access.cite(ev, finding, group):reference(BREAKING):confidence("likely")
  facts.told[id .. " " .. (cluster or "")] = finding
  advise_limit(finding, id, limits_of(facts, cluster or ""))
  ev:ask { evidence = "admin/clusters.json, admin/stats.txt", why = "the thresholds and the gauges that are open tell which limit it is",
    how = "curl -s 'http://ADMIN/clusters?format=json' > clusters.json; curl -s 'http://ADMIN/stats?filter=circuit_breakers|overflow' > stats.txt" }
end

-- ---- counters ----

local function counter_of(of)
  return value(of, "upstream_rq_active_overflow") > 0 and "upstream_rq_active_overflow" or "upstream_rq_pending_overflow"
end

local function overflow_of(of)
  return value(of, "upstream_rq_pending_overflow") + value(of, "upstream_rq_active_overflow")
end

local function is_lasting(of)
  local open = value(of, "circuit_breakers.default.rq_open") + value(of, "circuit_breakers.default.rq_pending_open") > 0
  return overflow_of(of) > 0 and (open or grows(of, "upstream_rq_pending_overflow") or grows(of, "upstream_rq_active_overflow"))
end

-- A large share that was refused at some time.
local function is_large(of)
  local overflow = overflow_of(of)
  return overflow >= 10 and overflow / (overflow + value(of, "upstream_rq_total")) >= 0.1 and not sampled(of, counter_of(of))
end

local function report_requests(ev, facts, cluster, of, lasting)
  local id, limits, sure = which_limit(facts, cluster, of)
  local overflow, counter, word = overflow_of(of), counter_of(of), WORDS[id]
  local finding = ev:report(id, "cluster", cluster, "requests to cluster %s are refused: the circuit breaker %s (%s) lets no more %s through; "
    .. "%d were answered 503 with flag UO", cluster, word[1], limits[word[2]] and string.format("%d", limits[word[2]]) or "1024 by default", word[3], overflow)
    :cite(of[counter].record):cite(limits.record)
  if lasting then finding:when("now") else finding:severity("warning"):confidence("likely") counters.ask_sample(ev) end
  if not sure then
    finding:confidence("likely"):candidate(id, { ["for"] = "the requests that wait are the usual limit with HTTP/1" })
      :candidate("upstreams.request-overflow", { ["for"] = "up to Envoy 1.37 the same counter stands for max_requests" })
  end
  advise_limit(finding, id, limits)
  facts.told[id .. " " .. cluster] = finding
end

local function judge_requests(ev, facts, cluster, of)
  if is_lasting(of) then report_requests(ev, facts, cluster, of, true) end
end

-- A full connection pool alone refuses nothing with HTTP: requests then wait. With TCP the connection is closed.
local function is_refusing_connections(of)
  return value(of, "upstream_cx_overflow") > 0 and value(of, "upstream_rq_total") + value(of, "upstream_rq_pending_overflow") == 0
end

local function judge_connections(ev, facts, cluster, of)
  local id = "upstreams.connection-overflow"
  if not is_refusing_connections(of) then return end
  if not grows(of, "upstream_cx_overflow") and value(of, "circuit_breakers.default.cx_open") == 0 then return end
  local limits = limits_of(facts, cluster)
  local finding = ev:report(id, "cluster", cluster, "connections to cluster %s are refused: its limit of %s connections is reached (%d times)", cluster,
    limits.connections and string.format("%d", limits.connections) or "1024", value(of, "upstream_cx_overflow"))
    :when("now"):cite(of.upstream_cx_overflow.record):cite(limits.record)
  advise_limit(finding, id, limits)
  facts.told[id .. " " .. cluster] = finding
end

-- What nothing but a counter of some time since the start tells.
local function note_old(ev, facts, cluster, of)
  local id = which_limit(facts, cluster, of)
  if facts.told[id .. " " .. cluster] then
    -- it is told already
  elseif is_large(of) then
    report_requests(ev, facts, cluster, of, false)
  else
    counters.old(ev, id, cluster, of, counter_of(of), "%d requests were refused by a circuit breaker")
  end
  id = "upstreams.connection-overflow"
  if is_refusing_connections(of) and not facts.told[id .. " " .. cluster] then
    counters.old(ev, id, cluster, of, "upstream_cx_overflow", "%d connections met the limit of connections")
  end
end

-- ---- the check ----

local function gather(ev)
  local facts = { stats = counters.read(ev), is_house = counters.house(ev), running = {}, configured = {}, told = {} }
  for record in ev:each("clusters") do facts.running[record.name or ""] = record end
  for record in ev:each("xds.clusters") do facts.configured[record.name or ""] = record end
  return facts
end

local function each_cluster(ev, facts, judge)
  for cluster, of in pairs(facts.stats) do
    if not facts.is_house(cluster) then judge(ev, facts, cluster, of) end
  end
end

return debrief.check {
  id = "upstreams/breakers",
  title = "do circuit breakers refuse requests?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "xds", "gateway", "istio", "consul" },
  needs = { "access.error | clusters | stats{cluster.*} | xds.listeners", "?access.error", "?clusters", "?hosts", "?stats{cluster.*}", "?xds.listeners", "?xds.filter_chains",
    "?xds.virtual_hosts", "?xds.routes", "?xds.clusters", "?bootstrap", "?proxy", "?log.start" },
  findings = {
    ["upstreams.pending-overflow"] = { title = "too many requests wait for a connection", severity = "error" },
    ["upstreams.request-overflow"] = { title = "too many requests at once", severity = "error" },
    ["upstreams.connection-overflow"] = { title = "too many connections to a cluster", severity = "error" },
  },
  run = function(ev)
    if ev:state("access.error") == "absent" and ev:state("stats") == "absent" then
      ev:ask { evidence = "admin/stats.txt, log/access.log", why = "only they tell whether a circuit breaker refused anything", how = "curl -s http://ADMIN/stats > stats.txt" }
      return
    end
    local facts = gather(ev)
    each_cluster(ev, facts, judge_requests)
    each_cluster(ev, facts, judge_connections)
    for _, group in ipairs(access.groups(ev, { "UO" })) do judge_lines(ev, facts, group) end
    each_cluster(ev, facts, note_old)
  end,
}
