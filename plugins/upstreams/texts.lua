-- What requests that went wrong left behind elsewhere than in the access log: the text that Envoy answers with (pasted from
-- curl, or in the log of the application that called), TLS errors, and connections that met no filter chain. Lines about
-- the link to the management server are ems-connection's.

local match = debrief.match
local access = debrief.use "access_log"

local DOCS = "https://www.envoyproxy.io/docs/envoy/latest/"

-- Lines about the link to the management server: ems-connection reads those.
local XDS_LINE = [[config stream|gRPC config|Stream(Aggregated|Clusters|Listeners|Secrets|Routes|Runtime|Endpoints)|Delta(Aggregated|Secrets|Clusters|Listeners)|\bxds\b|XDS|ADS:|xdsproxy|StreamAccessLogs|\bistiod\b]]

local function text_of(record)
  return (record.message or "") .. " " .. (record.rest or "")
end

local REASONS = {
  { "overflow", "upstreams.pending-overflow", "a circuit breaker of the cluster refused the request (overflow)",
    "see which limit is reached, and raise it or mend what is slow", "curl -s 'http://ADMIN/stats?filter=circuit_breakers|overflow'" },
  { "protocol error", "upstreams.protocol-error", "the upstream answers in another protocol than it is asked in",
    "let the cluster speak what the application speaks: HTTP/2 (gRPC) or HTTP/1" },
  { "connection termination", "upstreams.connection-cut", "the upstream closed the connection before it answered",
    "if it happens now and then: let the proxy close idle connections before the application does (idle timeout of the cluster), and retry; "
      .. "if it happens every time: let both sides speak the same, TLS or plain text, HTTP/2 or HTTP/1" },
}

-- What the answer tells: the finding's id, its text, and what to do.
local function pick(record)
  local text, reason = text_of(record), record.reason or ""
  if match(text, XDS_LINE) then return nil end
  if reason:find("connection failure", 1, true) or reason:find("connection timeout", 1, true) or match(text, "TLS[_ ]error") then
    local id, words, fix, command = access.failure { message = text }
    return id, words:format("the upstream"), fix, command
  end
  for _, row in ipairs(REASONS) do
    if reason:find(row[1], 1, true) then return row[2], row[3], row[4], row[5] end
  end
end

local function judge_answers(ev)
  for record in ev:each("event.answer") do
    local id, text, fix, command = pick(record)
    if id then
      local finding = ev:report(id, "workload", record.workload or record.container or "upstream", "%s", text):cite(record)
        :advise(fix, command)
      if id == "upstreams.pending-overflow" then
        finding:confidence("likely"):candidate("upstreams.request-overflow", { ["for"] = "the same text is printed for max_requests" })
      end
      if id == "upstreams.connection-cut" then
        finding:confidence("likely"):candidate(id, { ["for"] = "a request that is sent into an idle connection while the application closes it" })
          :candidate("upstreams.protocol-error", { ["for"] = "so does plain text to a port that expects TLS, or HTTP/2 to one that speaks HTTP/1" })
      end
      if id == "upstreams.connect-fail" or id == "upstreams.connection-cut" or id == "upstreams.tls-verify-failed" then
        ev:ask { evidence = "admin/clusters.json, admin/stats.txt", why = "they tell which cluster and which hosts it is",
          how = "curl -s 'http://ADMIN/clusters?format=json' > clusters.json; curl -s http://ADMIN/stats > stats.txt" }
      end
    end
  end
end

-- The text alone does not tell whether there are no hosts, or only unhealthy ones.
-- The answer, and a service of Kubernetes that is shown without endpoints beside it; whether it is that service is likely.
local function report_empty(ev, record, empty)
  ev:report("upstreams.endpoints-missing", "workload", record.workload or record.container or "upstream",
    "the proxy answers 'no healthy upstream', and service %s has no endpoint", empty.service or "of the description"):confidence("likely"):cite(record):cite(empty)
    :advise("see why no pod is behind the service: its selector against the pods' labels, and whether they are ready",
      "kubectl get endpointslices -n NAMESPACE; kubectl get pods -n NAMESPACE --show-labels")
end

local function judge_no_healthy(ev)
  local empty = ev:first("event.no_endpoints")
  for record in ev:each("event.unhealthy") do
    if empty and not match(text_of(record), XDS_LINE) then
      report_empty(ev, record, empty)
    elseif not match(text_of(record), XDS_LINE) then
      ev:report("upstreams.no-healthy-host", "workload", record.workload or record.container or "upstream",
        "the proxy answers 'no healthy upstream': the cluster has no host, or none that may take requests"):confidence("likely"):cite(record)
        :candidate("upstreams.endpoints-missing", { ["for"] = "a cluster without endpoints is answered in the same way" })
        :advise("see whether its cluster has hosts, and what their health flags say", "curl -s http://ADMIN/clusters")
      ev:ask { evidence = "admin/clusters.json", why = "it tells whether the cluster has no hosts or only unhealthy ones, and why",
        how = "curl -s 'http://ADMIN/clusters?format=json' > clusters.json, then --evidence" }
    end
  end
end

-- `consul troubleshoot proxy` has looked at the proxy's clusters.
local function judge_consul(ev)
  for record in ev:each("event.consul_endpoints") do
    ev:report("upstreams.no-healthy-host", "cluster", record.cluster or record.upstream or "upstream", "no host of cluster %s is healthy, says consul troubleshoot (upstream %s)",
      record.cluster or "?", record.upstream or "?"):when("now"):cite(record)
      :candidate("upstreams.no-healthy-host", { ["for"] = "Consul takes hosts out of service whose health checks fail" })
      :candidate("upstreams.endpoints-missing", { ["for"] = "no instance of the service is registered, or none in this datacenter or partition" })
      :advise("see what Consul thinks of the service's instances", "curl -s http://127.0.0.1:8500/v1/health/connect/" .. (record.upstream or "SERVICE"))
  end
end

-- ---- counters of the protocol ----

local function judge_protocol(ev)
  for record in ev:each("stats") do
    local cluster = (record.name or ""):match("^cluster%.(.+)%.upstream_cx_protocol_error$")
    local count, change = ev:number(record, "value") or 0, ev:number(record, "change")
    if cluster and count > 0 and not match(cluster, [[(?i)xds|ads]]) then
      local finding = ev:report("upstreams.protocol-error", "cluster", cluster, "hosts of cluster %s answer in another protocol than it is configured for: %d protocol errors%s",
        cluster, count, (change or 0) > 0 and "" or " since the proxy started"):cite(record)
        :advise("let the cluster speak what the application speaks: HTTP/2 (gRPC) or HTTP/1 (App Mesh: the listener's protocol; Kubernetes: the port's name or appProtocol)")
      if (change or 0) == 0 then finding:severity("info") end
    end
  end
end

-- ---- connections without a filter chain ----

local function listener_of(ev, address)
  local port = address:match("_(%d+)$")
  for record in ev:each("xds.listeners") do
    if record.port == port and record.bind_to_port ~= "no" and record.name then return record.name, record end
  end
  return address
end

local function judge_chain_counter(ev)
  for record in ev:each("stats") do
    local address = (record.name or ""):match("^listener%.(.+)%.no_filter_chain_match$")
    local count, change = ev:number(record, "value") or 0, ev:number(record, "change")
    if address and count > 0 then
      local total = ev:stat("listener." .. address .. ".downstream_cx_total")
      local all = change == nil and type(total) == "number" and count >= total and count >= 3
      local name, listener = listener_of(ev, address)
      local finding = ev:report("upstreams.no-filter-chain", "listener", name, "%d connections%s to listener %s were closed because no filter chain takes them%s",
        count, all and " (all there were)" or "", name, all and "" or change and change > 0 and string.format(", %d while it was watched", change) or " since the proxy started")
        :cite(record):cite(listener)
      for chain in ev:each("xds.filter_chains") do
        if listener and chain.listener == name and chain.server_names then finding:cite(chain) end
      end
      if all or (change or 0) > 0 then
        finding:when("now"):advise("let the clients send the server name, port and protocol that a filter chain of the listener is for, or add a chain (or a default one)",
          "curl -s http://ADMIN/config_dump?resource=dynamic_listeners"):reference(DOCS .. "api-v3/config/listener/v3/listener_components.proto")
      else
        finding:severity("info")
        if change then finding:when("before") end
      end
    end
  end
end

return debrief.check {
  id = "upstreams/texts",
  title = "do answers and listeners tell of requests that found no way?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "gateway" },
  needs = { "text | stats{listener.*} | stats{cluster.*}", "?stats{cluster.*.upstream_cx_protocol_error}", "?stats{listener.*.no_filter_chain_match}", "?stats{listener.*.downstream_cx_total}", "?xds.listeners", "?xds.filter_chains" },
  events = {
    answer = [[upstream connect error or disconnect/reset before headers\. (retried and the latest )?reset reason: (?<reason>[a-z ]+)]],
    unhealthy = [[no healthy upstream]],
    consul_endpoints = [[! No healthy endpoints for cluster "(?<cluster>[^"\n]+)" for upstream "(?<upstream>[^"\n]+)"]],
    no_endpoints = [[(^|\n)((?<service>[a-z][a-z0-9-]{0,62}) +<none> +[0-9]+[smhdy]|Endpoints: +<none>)]],
  },
  findings = {
    ["upstreams.no-healthy-host"] = { title = "no host of a cluster may take requests", severity = "warning" },
    ["upstreams.endpoints-missing"] = { title = "a cluster has no endpoint", severity = "error" },
    ["upstreams.pending-overflow"] = { title = "too many requests wait for a connection", severity = "warning" },
    ["upstreams.no-filter-chain"] = { title = "no filter chain takes the connection", severity = "error" },
    ["upstreams.connect-fail"] = { title = "connections to the upstream fail", severity = "warning" },
    ["upstreams.tls-verify-failed"] = { title = "the upstream's certificate is refused", severity = "error" },
    ["upstreams.connection-cut"] = { title = "the upstream closes connections that requests are on", severity = "warning" },
    ["upstreams.protocol-error"] = { title = "the upstream speaks another protocol", severity = "warning" },
  },
  run = function(ev)
    judge_answers(ev)
    judge_no_healthy(ev)
    judge_consul(ev)
    judge_protocol(ev)
    judge_chain_counter(ev)
  end,
}
