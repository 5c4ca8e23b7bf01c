-- Requests that the proxy itself answers, and those that the upstream cuts off: what the flags and details of the access
-- log tell beyond hosts and routes. One line proves nothing of a pattern: a few are information. Checkers' requests
-- are another section's.

local access = debrief.use "access_log"
local match = debrief.match

local FLAGS = "https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#config-access-log-format-response-flags"
local DETAILS = "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/response_code_details"

local SOME = 3 -- as many of a kind make a pattern
local PASTE = 60 -- lines; somebody cut so short a log out for those that fail

local function proxy_name(ev)
  return (ev:first("proxy") or {}).node_id or "envoy"
end

-- ---- answered by the proxy itself ----

-- By the code, the flag or the details; the first row that fits. Without `said` the code or the flag is enough.
local ANSWERS = {
  { id = "upstreams.protocol-error", code = "426", said = "low version|^ ?$",
    "requests in %s are answered 426: the proxy takes HTTP/1.1 and later",
    "let the client speak HTTP/1.1 (nginx: proxy_http_version 1.1; ab and old clients speak 1.0), or let the listener take 1.0 "
      .. "(http_protocol_options.accept_http_10; Istio: PILOT_HTTP10=1)" },
  { id = "upstreams.protocol-error", flag = "DPE", most = "0",
    "bytes that are no request in HTTP come to the listener and are refused: %s",
    "see who connects: a client that speaks TLS or the PROXY protocol to a listener that expects neither, or another protocol than HTTP" },
  { id = "upstreams.protocol-error", code = "400", said = "http1\\.codec error|http2\\.|http1\\.invalid",
    "requests that break the rules of HTTP are answered %s",
    "see who sends them, and what: the details of the answer name the rule" },
  { id = "upstreams.request-too-large", code = "431",
    "the headers of requests are larger than the proxy takes: %s",
    "find what makes them large (cookies, tokens), or raise max_request_headers_kb of the connection manager (60 by default, up to 8192) and "
      .. "max_headers_count (100)" },
  { id = "upstreams.request-too-large", code = "413", said = "request payload|payload too large",
    "the bodies of requests are larger than a filter buffers: %s",
    "raise the buffer (per_connection_buffer_limit_bytes of the listener, max_request_bytes of the buffer or ext_authz filter), or do not buffer that route" },
  { id = "upstreams.response-timeout", code = "504", flag = "UT",
    "the upstream does not answer in the time that the route allows: %s",
    "find what makes the upstream slow, or allow more time (route timeout, 15 s by default; App Mesh: timeouts of the route and of both listeners; "
      .. "Istio: VirtualService timeout)" },
  { id = "upstreams.no-route", code = "500", said = "^direct response", any = true,
    "the proxy answers 500 itself, no host is asked: %s. That is what gateways answer for a route whose backends they may not or cannot use",
    "read the conditions of the route, ResolvedRefs above all: RefNotPermitted wants a ReferenceGrant in the namespace of the backends (from the route's "
      .. "namespace to Service), BackendNotFound the right name and port of the Service; a direct response that somebody configured stands in the route itself",
    "kubectl get httproutes,grpcroutes -A -o yaml | grep -B2 -A6 ResolvedRefs; kubectl get referencegrants -A" },
  { id = "upstreams.request-denied", code = "403", said = "rbac access denied",
    "the proxy's own access rules refuse requests: %s",
    "see which rule it is (the details name the policy; none: no policy allows it) and who may call: Istio AuthorizationPolicy, Consul intentions, "
      .. "RBAC filters", "istioctl x authz check POD; consul intention check SOURCE DESTINATION" },
  { id = "upstreams.request-denied", flag = "UAEX",
    "the external authorisation service refuses requests, or cannot be asked: %s",
    "read that service's log; ext_authz answers 403 too when the service cannot be reached (failure_mode_allow)" },
  { id = "upstreams.request-denied", code = "401", said = "jwt authn",
    "the proxy refuses the tokens of requests: %s", "the details name why: missing, expired, wrong issuer or audience, keys that could not be fetched" },
  { id = "upstreams.request-denied", flag = "RL", "a rate limit of the proxy refuses requests: %s", "raise the limit, or find who asks that often" },
}

local function fits(row, record, words)
  if row.code and record.code ~= row.code then return false end
  if row.flag and not access.has_flag(record, row.flag) then return false end
  return not row.said or match(words, row.said) ~= nil
end

local function row_of(record)
  local words = access.words(record)
  for _, row in ipairs(ANSWERS) do
    if fits(row, record, words) then return row end
  end
end

local function about(record, row)
  if row.code == "426" then return record.protocol ~= "-" and record.protocol or "HTTP/1.0" end
  local details = record.details and record.details ~= "-" and " (" .. record.details .. ")" or ""
  if (record.method or "-") == "-" then return string.format("%s%s%s", record.code or "", record.flags and " " .. record.flags or "", details) end
  return string.format("%s %s with Host '%s' was answered %s%s%s", record.method or "", (record.path or ""):sub(1, 120), record.authority or "",
    record.code or "", record.flags and record.flags ~= "-" and " " .. record.flags or "", details)
end

-- ---- cut off by the upstream ----

local function add(groups, key, record)
  local group = groups[key]
  if not group then
    group = { record = record, count = 0, list = {} }
    groups[key], groups[#groups + 1] = group, group
  end
  group.count, group.last = group.count + 1, record
  if #group.list < 3 then group.list[#group.list + 1] = record end
end

local function report(ev, id, kind, name, group, format, ...)
  local finding = ev:report(id, kind, name, format, ...):span { count = group.count, last = ev:time(group.last) }
  for _, record in ipairs(group.list) do finding:cite(record) end
  if group.count < (group.some or SOME) then finding:severity("info") end
  return finding
end

-- All the hosts that the lines name, up to three.
local function hosts_of(group)
  local seen, list = {}, {}
  for _, record in ipairs(group.list) do
    local host = access.host(record)
    if host and not seen[host] then seen[host], list[#list + 1] = true, host end
  end
  return #list > 0 and table.concat(list, ", ") or nil
end

local function judge_cut(ev, group)
  local record = group.record
  local streams = not access.has_flag(record, "UC")
  local cluster, host = access.cluster(record), access.host(record)
  local protocol = access.words(record):find("protocol error", 1, true)
  local id = protocol and "upstreams.protocol-error" or "upstreams.connection-cut"
  local finding = report(ev, id, cluster and "cluster" or "address", cluster or host or record.authority or "upstream", group,
    protocol and "%s answers in another protocol than it is asked in: requests with Host '%s' are answered %s %s"
      or streams and "requests are reset by %s while they run: requests with Host '%s' are answered %s %s"
      or "connections are closed by %s while requests are on them: requests with Host '%s' are answered %s %s",
    hosts_of(group) or host or cluster or "the upstream", record.authority or "", record.code or "503", record.flags or "UC"):reference(FLAGS)
  if protocol then
    finding:advise("let the cluster speak what the application speaks: HTTP/2 (gRPC) or HTTP/1")
    return
  end
  if streams then
    finding:confidence("likely"):advise("see the application's own log at that time: it refused or gave up the stream (HTTP/2 RST_STREAM), or ended")
    return
  end
  finding:confidence("likely")
    :candidate(id, { ["for"] = "now and then, after a pause: the application closes idle connections sooner than the proxy does, and a request is sent into the close" })
    :candidate("upstreams.protocol-error", { ["for"] = "every time, from the first request: plain text to a port that expects TLS, or HTTP/2 to one that speaks HTTP/1" })
    :candidate("proxy-process.crashed", { ["for"] = "in bursts: the application ends while it works (its own log and its exit code tell)" })
    :advise("let the proxy close idle connections first: an idle timeout of the cluster below the application's keep-alive timeout (Node.js: 5 s; "
      .. "Istio: DestinationRule connectionPool.http.idleTimeout), or raise the application's above the proxy's (1 h by default)")
    :advise("retry what may be repeated: retry_on: reset,connect-failure,refused-stream")
  ev:ask { evidence = "a capture or the application's log at the time of an answer, admin/stats.txt",
    why = "whether the application timed out an idle connection, ended, or does not speak the protocol is not in the access log",
    how = "curl -s 'http://ADMIN/stats?filter=upstream_cx_(destroy_remote_with_active_rq|protocol_error|total)|upstream_rq_total', twice; and the application's log" }
end

-- ---- where the mesh lets nothing out ----

local function judge_black_hole(ev, group)
  local record = group.record
  local host = record.authority ~= "-" and record.authority or access.host(record) or "a destination"
  report(ev, "upstreams.no-route", "cluster", access.cluster(record) or "BlackHoleCluster", group,
    "requests for '%s' go to %s: no service of the mesh is known by that name, and what is not known is let out nowhere", host, access.cluster(record))
    :advise("register the destination (Istio: ServiceEntry; mind the Sidecar resource's egress hosts), or let unknown destinations out",
      "kubectl get serviceentries,sidecars -A; kubectl -n istio-system get configmap istio -o yaml | grep -A2 outboundTrafficPolicy")
    :reference("https://istio.io/latest/docs/tasks/traffic-management/egress/egress-control/")
end

local function gather(ev)
  local answers, cuts, holes = {}, {}, {}
  for record in ev:each("access.error") do
    local cluster = access.cluster(record)
    if not access.is_checker(record) then
      local row = row_of(record)
      if cluster and match(cluster, [[^(BlackHoleCluster|block_?all)$]]) then
        add(holes, record.authority or "-", record)
      elseif access.has_flag(record, "UC") or access.has_flag(record, "UR") then
        add(cuts, cluster or record.upstream or record.authority or "-", record)
      elseif row then
        add(answers, row.id .. (row.code or row.flag), record)
        answers[#answers].row = answers[#answers].row or row
      end
    end
  end
  -- In a short text two lines, and a line alone, are what it was cut out for.
  local lines = 0
  for record in ev:each("log") do lines = lines + (ev:number(record, "lines") or 0) end
  for _, groups in ipairs { answers, cuts, holes } do
    for _, group in ipairs(groups) do
      local cut_out = lines <= PASTE and group.count > 1 and group.count * 10 >= lines or lines <= 2
      if lines > 0 and cut_out or group.row and group.row.any then group.some = 1 end
    end
  end
  return answers, cuts, holes
end

return debrief.check {
  id = "upstreams/endings",
  title = "which requests does the proxy answer itself, and which does the upstream cut off?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "gateway", "istio" },
  needs = { "access.error", "?log", "?proxy" },
  findings = {
    ["upstreams.protocol-error"] = { title = "one side speaks another protocol", severity = "warning" },
    ["upstreams.connection-cut"] = { title = "the upstream closes connections that requests are on", severity = "warning" },
    ["upstreams.request-too-large"] = { title = "requests are larger than the proxy takes", severity = "warning" },
    ["upstreams.response-timeout"] = { title = "the upstream is slower than the route allows", severity = "warning" },
    ["upstreams.request-denied"] = { title = "the proxy's own rules refuse requests", severity = "info" },
    ["upstreams.no-route"] = { title = "the proxy has no way for requests", severity = "error" },
  },
  run = function(ev)
    local answers, cuts, holes = gather(ev)
    for _, group in ipairs(answers) do
      local row = group.row
      local finding = report(ev, row.id, "proxy", proxy_name(ev), group, row[1], about(group.record, row)):advise(row[2], row[3]):reference(DETAILS)
      if row.flag == "DPE" or row.id == "upstreams.no-route" then finding:confidence("likely") end
    end
    for _, group in ipairs(cuts) do judge_cut(ev, group) end
    for _, group in ipairs(holes) do judge_black_hole(ev, group) end
  end,
}
