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
  { "remote reset", "upstreams.connection-cut", "the upstream reset the request's stream before it answered",
    "see the application's own log at that time: it refused or gave up the stream (HTTP/2 RST_STREAM), or ended" },
  { "remote refused stream", "upstreams.connection-cut", "the upstream refused the request's stream",
    "the application lets no more streams run at once on a connection, or is ending: see its own log; retry_on: refused-stream" },
}

-- The access log tells the same request, and its hosts: then the answer is no second finding.
local FLAG_OF = { ["upstreams.connection-cut"] = { "UC", "UR" }, ["upstreams.pending-overflow"] = { "UO" }, ["upstreams.protocol-error"] = { "UPE" },
  ["upstreams.no-healthy-host"] = { "UH" }, ["upstreams.response-timeout"] = { "UT" } }

local function in_access_log(ev, id)
  for record in ev:each("access.error") do
    for _, flag in ipairs(FLAG_OF[id] or {}) do
      if access.has_flag(record, flag) then return true end
    end
    if access.has_flag(record, "UF") and (access.failure(record)) == id and access.words(record) ~= " " then return true end
    if id == "upstreams.request-denied" and (record.code == "401" or record.code == "403" or record.code == "429") then return true end
  end
  return false
end

local NO_REASON = "the upstream could not be reached, or closed the connection before it answered: the answer does not say which (Envoy before 1.12, or a text that is cut off)"

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
  if reason == "" then
    return "upstreams.connect-fail", NO_REASON, "see from the proxy's own host whether the upstream's address and port are open, and which protocol they speak", "nc -vz HOST PORT"
  end
end

local function judge_answers(ev)
  for record in ev:each("event.answer") do
    local id, text, fix, command = pick(record)
    if id and not in_access_log(ev, id) then
      local finding = ev:report(id, "workload", record.workload or record.container or "upstream", "%s", text):cite(record)
        :advise(fix, command)
      if text == NO_REASON then
        finding:confidence("likely"):candidate("upstreams.connection-cut", { ["for"] = "the same text stands for a connection that the upstream closed" })
      end
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
  if in_access_log(ev, "upstreams.no-healthy-host") and not empty then return end
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

-- ---- bodies of other answers ----

local function judge_bodies(ev)
  local denied, slow = ev:last("event.denied"), ev:last("event.slow")
  if denied and not in_access_log(ev, "upstreams.request-denied") then
    local keys = (denied.what or ""):find("^Jwks")
    local finding = ev:report("upstreams.request-denied", "workload", denied.workload or denied.container or "upstream", "the proxy refuses the request: '%s'", denied.what)
      :cite(denied):advise("where this caller should be let in, send what the rule wants, or change the rule (Istio AuthorizationPolicy and RequestAuthentication, "
        .. "Consul intentions, the jwt_authn and rbac filters)", "istioctl x authz check POD; consul intention check SOURCE DESTINATION")
    if keys then finding:severity("warning"):advise("the proxy itself must reach the issuer's keys: see the cluster of the jwks_uri", "curl -s 'http://ADMIN/stats?filter=jwks'") end
    ev:ask { evidence = "the request's headers as the client sent them, and the rules of the workload",
      why = "whether the refusal is meant depends on what the request carried (Authorization header) and on the rules",
      how = "curl -v, from the client; kubectl get authorizationpolicy,requestauthentication,peerauthentication -A -o yaml (AuthorizationPolicy, RequestAuthentication); "
        .. "consul intention list; else the http_filters of curl -s http://ADMIN/config_dump" }
  end
  if slow and not in_access_log(ev, "upstreams.response-timeout") then
    ev:report("upstreams.response-timeout", "workload", slow.workload or slow.container or "upstream", "the proxy answered 'upstream request timeout': the upstream did not "
      .. "answer in the time that the route allows"):cite(slow)
      :advise("find what makes the upstream slow (its own log), or allow more time (route timeout, 15 s by default; App Mesh: timeouts of the route and of both "
        .. "listeners; Istio: VirtualService timeout)")
    ev:ask { evidence = "admin/config_dump.json, the application's log", why = "the route's timeout, and how long the application takes for this request",
      how = "curl -s http://ADMIN/config_dump | grep -n '\"timeout\"'; kubectl logs POD -c APPLICATION, aws logs tail GROUP" }
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
          string.format("curl -s 'http://ADMIN/config_dump?resource=%s_listeners'", listener and listener.state == "static" and "static" or "dynamic")):reference(DOCS .. "api-v3/config/listener/v3/listener_components.proto")
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
  needs = { "text | stats{listener.*} | stats{cluster.*}", "?stats{cluster.*.upstream_cx_protocol_error}", "?stats{listener.*.no_filter_chain_match}", "?stats{listener.*.downstream_cx_total}", "?access.error", "?xds.listeners", "?xds.filter_chains" },
  events = {
    answer = [[upstream connect error or disconnect/reset before headers([.,]? *(retried and the latest )?reset reason: (?<reason>[a-z ]+))?]],
    denied = [[(?<what>RBAC: access denied|Jwt (is (missing|expired|not in the form)|verification fails|issuer is not configured|not yet valid)|Audiences in Jwt are not allowed|Jwks (remote fetch is failed|doesn't have key|fetch))]],
    slow = [[upstream request timeout]],
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
    ["upstreams.request-denied"] = { title = "the proxy's own rules refuse requests", severity = "info" },
    ["upstreams.response-timeout"] = { title = "the upstream is slower than the route allows", severity = "warning" },
  },
  run = function(ev)
    judge_answers(ev)
    judge_no_healthy(ev)
    judge_consul(ev)
    judge_bodies(ev)
    judge_protocol(ev)
    judge_chain_counter(ev)
  end,
}
