-- What the management server says when it ends an xDS stream. Reads the close lines of every log shape, decides
-- by the text before the code, and tells trouble from rotation by what happened around it. The counters of
-- google_grpc are counters.lua's. A link that never came about (refused, DNS, TLS) is ems-connection's to name, not ours.

local match = debrief.match

-- Texts of the transport, not of the server. ems-connection owns these lines; it holds the same rows.
local LINK = [[reset reason:|upstream reset before response|no healthy upstream|connection error: desc|error while dialing|dial (tcp|unix) |lookup \S+( on \S+)?:|failed to connect to |dns resolution|name resolution|connection (refused|timed out|timeout|reset by peer)|i/o timeout|x509:|tls error|tls handshake|no such host|socket closed|secret is not supplied]]
local KEEPALIVE = [[too many pings|enhance your calm]]
local CLOSED_LATER = [[closing transport|error reading from server|prior goaway|transport is closing]]
local LINK_CODES = { [1] = true, [2] = true, [4] = true, [13] = true, [14] = true }

local GRACEFUL = [[prior goaway: code: no error|goaway.*no error|\bmax[ _-]?(connection[ _-])?age\b|^eof$]]
-- Ordinary too, unless the stream is cut again and again.
local SOFT = [[transport is closing|closing transport|error reading from server: eof|keepalive ping|connection drain|going away]]

-- Text before code: the first row that matches decides, whatever the code is.
local TEXTS = {
  { "message-too-large", [[larger than max|message (is )?too (large|big)|exceed\w* .*(message|frame) size]] },
  { "permission-denied", [[(unauthorized|not authorized) to perform|is not authorized to access]] },
  { "no-credentials", [[missing authentication token|no (valid )?credentials|credentials (were )?not (found|provided)]] },
  { "identity-rejected", [[\btoken\b|acl not found|acl: |authentication (failed|failure)|authenticate failure|failed to get root cert|failed to generate secret|signature|client (identity|certificate)]] },
  { "node-id-invalid", [[missing parts in the service node|(invalid|malformed|empty|missing|unexpected|parse|required?)\b.*\bnode\b|\bnode( id|\.id)?\b.*\b(invalid|malformed|empty|missing|required|must)\b]] },
  { "quota-exceeded", [[too many (xds )?(streams|connections|clients|requests|envoys)|quota|limit (is )?exceeded|rate exceeded]] },
  { "unimplemented", [[not implemented|unimplemented|unknown (service|method)|method not found]] },
  { "deadline-exceeded", [[deadline exceeded]] },
}

local CODES = {
  [0] = "graceful-close", [3] = "resource-not-found", [4] = "deadline-exceeded", [5] = "resource-not-found", [7] = "permission-denied",
  [8] = "quota-exceeded", [12] = "unimplemented", [13] = "internal", [14] = "unavailable", [16] = "no-credentials",
}

local NAMES = { [0] = "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL",
  "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED" }

local STATUS_CODES = "https://github.com/grpc/grpc/blob/master/doc/statuscodes.md"
local PROXY_AUTHORIZATION = "https://docs.aws.amazon.com/app-mesh/latest/userguide/proxy-authorization.html"

-- ---- the evidence, read once ----

-- "TEXT{DETAILS}" or bare details: Envoy says in the details who spoke, via_upstream being the peer.
local function split(rest)
  rest = rest:gsub("%s+thread=%d+%s*$", ""):gsub("%s*%(previously .*$", ""):gsub('["%s,]+$', "")
  local details = rest:match("(%b{})%s*$") or ""
  local text = rest:sub(1, #rest - #details):gsub("%s+$", "")
  if text:match("^[%l_]+$") and text:find("_", 1, true) then return "", text .. details end
  return text, details
end

local function read_close(ev, record)
  local text, details = split(record.rest or "")
  local close = {
    record = record, code = ev:number(record, "code"), time = ev:time(record), peer = record.peer,
    method = record.method or "", text = text, details = details,
    plain = (text .. " " .. details):lower():gsub("_", " "):gsub("^%s+", ""):gsub("%s+$", ""),
  }
  close.by_peer = close.plain:find("via upstream", 1, true) ~= nil
  return close
end

local function read_servers(ev)
  local servers = {}
  for record in ev:each("bootstrap") do
    if record.client and record.client ~= "path" then servers[#servers + 1] = record end
  end
  return servers
end

-- One name per management server, the same as ems-connection gives it.
local function server_of(servers, peer)
  for _, server in ipairs(servers) do
    if peer and (server.target == peer or server.address == peer) then
      return server.address or peer, server
    end
  end
  if peer then return peer end
  local only = servers[1]
  for _, server in ipairs(servers) do
    if server.target ~= only.target then return "xds server" end
  end
  return only and (only.address or only.target) or "xds server", only
end

-- What the counters say of the link: connected now, ever configured, when last.
local function read_link(ev)
  local link = { ok = nil, updated = 0 }
  for record in ev:each("stats") do
    local name, value = record.name, ev:number(record, "value")
    if name and value then
      if name:match("control_plane%.connected_state$") then
        link.connected = math.max(link.connected or 0, value)
      elseif name:match("^cluster_manager%.cds%.update_success$") or name:match("^listener_manager%.lds%.update_success$") then
        link.ok = (link.ok or 0) + value
      elseif name:match("%.update_time$") then
        link.updated = math.max(link.updated, value / 1000)
      end
    end
  end
  link.up = link.connected ~= nil and link.connected >= 1 and link.ok ~= nil and link.ok > 0
  return link
end

-- RFC 3339 in UTC to seconds: logs tell their first and last time as text.
local function seconds(text)
  local y, m, d, h, min, s = (text or ""):match("^(%d+)-(%d+)-(%d+)T(%d+):(%d+):([%d.]+)")
  if not y then return 0 end
  y, m, d = tonumber(y), tonumber(m), tonumber(d)
  if m <= 2 then y, m = y - 1, m + 12 end
  local days = 365 * y + y // 4 - y // 100 + y // 400 + (153 * (m - 3) + 2) // 5 + d - 719469
  return days * 86400 + tonumber(h) * 3600 + tonumber(min) * 60 + tonumber(s)
end

local function latest(ev, time, name)
  for record in ev:each(name) do time = math.max(time, ev:time(record) or 0) end
  return time
end

-- When something last proved that the server answers, and when the logs end.
local function read_marks(ev)
  local marks = { success = latest(ev, 0, "event.answered"), begins = math.huge, stops = {} }
  marks.success = latest(ev, marks.success, "log.config_rejected")
  for record in ev:each("log") do
    if record.first then marks.begins = math.min(marks.begins, seconds(record.first)) end
  end
  marks.started = latest(ev, 0, "log.start")
  for record in ev:each("log.stop") do
    if (record.step or ""):match("SIG") and ev:time(record) then
      marks.stops[#marks.stops + 1] = ev:time(record)
    end
  end
  return marks
end

-- ---- judging ----

local function of_link(close)
  if not LINK_CODES[close.code] then return false end
  if match(close.plain, KEEPALIVE) then return true end
  if match(close.plain, CLOSED_LATER) then return false end
  if close.by_peer and not match(close.plain, [[desc =|dial |lookup ]]) then return false end
  return match(close.plain, LINK) ~= nil
end

-- google_grpc reports every link that did not come about as 13 without a word.
local function of_google(close, group) return close.code == 13 and close.plain == "" and group.google end

local function slug_of(close, group)
  if match(close.plain, GRACEFUL) then return "graceful-close" end
  if of_link(close) or of_google(close, group) then return "link" end
  for _, row in ipairs(TEXTS) do
    if match(close.plain, row[2]) then return row[1] end
  end
  if group.mesh == "consul" and (close.code == 7 or close.code == 16) then return "identity-rejected" end
  if close.code == 1 and group.google and group.count > 1 then return "message-too-large" end
  return CODES[close.code] or "unknown-code"
end

-- Distinct moments of closing, seconds: streams that end together are one beat.
local function beats_of(closes)
  local beats = {}
  for _, close in ipairs(closes) do
    if not close.time then return {} end
    if #beats == 0 or close.time - beats[#beats] > 2 then
      beats[#beats + 1] = close.time
    end
  end
  return beats
end

-- Each stream lived for a long time: the server's maximum connection age, not a fault that is retried.
local function is_rotation(group, longest)
  local beats = beats_of(group.closes)
  if #beats < 2 then return false end
  for i = 2, #beats do
    if beats[i] - beats[i - 1] < longest then return false end
  end
  return (beats[#beats] - beats[1]) / math.max(1, group.count - 1) >= longest / 4
end

local function is_hammered(group)
  local beats = beats_of(group.closes)
  return #beats >= 3 and beats[#beats] - beats[#beats - 2] < 300
end

local function during_shutdown(close, marks)
  for _, stop in ipairs(marks.stops) do
    if close.time and close.time >= stop - 1 and close.time <= stop + 10 then return true end
  end
  return false
end

-- When the log that holds TIME ends; another log that goes on proves nothing.
local function log_end(ev, time)
  local ends = 0
  for record in ev:each("log") do
    local covers = record.shape ~= "log.access" and seconds(record.first) <= time and time < seconds(record.last) + 1
    if covers then ends = math.max(ends, seconds(record.last)) end
  end
  return ends
end

-- Something after the last close shows that the stream came back.
local function is_recovered(ev, close, link, marks)
  local time = close.time
  if not time then return link.up end
  if marks.success > time or link.updated > time then return true end
  if link.up and ev:now() - time > 60 then return true end
  return log_end(ev, time) - time > 600
end

-- Whether the stream goes through google_grpc: the bootstrap says it, or a peer that is an address.
local function is_google(server, peer, seen)
  if server then return server.client == "google_grpc" end
  if peer then return peer:match(":%d+$") ~= nil or peer:match("^unix:") ~= nil end
  return seen
end

local function google_was_seen(ev, mesh)
  if mesh == "appmesh" or ev:count("event.google") > 0 then return true end
  for record in ev:each("stats") do
    if (record.name or ""):match("^grpc%..*%.streams_") then return true end
  end
  return false
end

local function shown(name) return name == "xds server" and "the management server" or name end

-- One group per server and method: what happens to one stream.
local function groups_of(ev, servers, mesh)
  local groups, by_key = {}, {}
  local google_seen = google_was_seen(ev, mesh)
  for record in ev:each("log.xds_closed") do
    local close = read_close(ev, record)
    local name, server = server_of(servers, close.peer)
    local key = name .. "\n" .. close.method
    local group = by_key[key]
    if not group then
      group = { name = name, shown = shown(name), server = server, mesh = mesh, closes = {} }
      group.google = is_google(server, close.peer, google_seen)
      by_key[key], groups[#groups + 1] = group, group
    end
    group.closes[#group.closes + 1] = close
  end
  for _, group in ipairs(groups) do
    group.count = #group.closes
    if #groups == 1 then group.count = math.max(group.count, ev:count("log.xds_closed")) end
  end
  return groups
end

-- ---- what to say and what to do ----

local function quoted(close)
  local text = close.text ~= "" and close.text or close.details
  return text ~= "" and ("'" .. text .. "'") or "no text"
end

local function code_of(code) return string.format("code %d (%s)", code, NAMES[code] or "no gRPC code") end

-- The action, the resource and the caller that an AWS refusal names.
local function denial(close)
  local text = close.text
  local found = match(text, [[(?i)authorized to perform:?\s+(?<action>[\w-]+:\w+)(\s+(for|on resource:?)\s+(?<arn>arn:[^\s{},"']+))?]]) or {}
  local user = match(text, [[User:\s+(?<user>arn:\S+)]])
  return { action = found.action, arn = found.arn, user = user and user.user }
end

local function role_name(ev)
  for record in ev:each("containers") do
    local name = (record.task_role or ""):match("role/(.+)$")
    if name then return name:match("([^/]+)$") end
  end
  return "ROLE"
end

local function policy(action, arn)
  return string.format([[{
  "Version": "2012-10-17",
  "Statement": [{ "Effect": "Allow", "Action": "%s", "Resource": "%s" }]
}
]], action, arn)
end

-- Steps that need nothing from the evidence.
local STEPS = {
  ["no-credentials"] = {
    { "ECS: set taskRoleArn (the proxy does not see the execution role) and leave 169.254.170.2 uncaptured (EgressIgnoredIPs)" },
    { "EKS: give the pod the service account that is bound to the role, and see that the role is injected",
      "kubectl get pod POD -o jsonpath='{.spec.serviceAccountName} {.spec.containers[*].env[?(@.name==\"AWS_ROLE_ARN\")].value}'" },
    { "EC2: attach an instance role; a container needs a metadata hop limit of 2, images before 1.24 need IMDSv1" },
  },
  ["quota-exceeded"] = {
    { "count the proxies that share this identity; a rolling deployment doubles them for a while" },
    { "raise the limit (App Mesh: connected Envoys per virtual node, 50 by default; elsewhere the server's stream limit)",
      "aws service-quotas list-service-quotas --service-code appmesh" },
  },
  ["message-too-large"] = {
    { "raise the receive limit of the client that refuses (agent, relay, or google_grpc: channel_args grpc.max_receive_message_length) and the server's send limit" },
    { "send less: limit what each proxy is given (Istio Sidecar resources, discovery selectors), split large route tables, use the delta protocol" },
  },
  ["unimplemented"] = { { "see that host and port are those of the xDS service: a web server answers 404, which the client reports as 12" } },
  ["node-id-invalid"] = { { "set node.id in the form that this control plane wants (Istio: sidecar~IP~POD.NAMESPACE~DOMAIN)" } },
  ["deadline-exceeded"] = {
    { "look at load and memory of the management server and at the time that a push takes" },
    { "look for packet loss and for idle time-outs between proxy and server (NAT, load balancer)" },
  },
  ["unavailable"] = { { "the server answers, and says that it cannot serve: look at its own log and health, or at the load balancer in front of it" } },
  ["unknown-code"] = { { "look for the same moment in the management server's log: the code alone does not tell the reason" } },
  ["internal"] = {
    { "see whether the closes come at an even pace of about 30 minutes: then it is the server's maximum connection age and harmless" },
    { "take the counters twice: control_plane.connected_state 1 and a growing update_success mean that the stream came back",
      "debrief check http://HOST:9901 --sample 30s" },
  },
}

local advise = {}

advise["permission-denied"] = function(ev, finding, group, close)
  local what = denial(close)
  if what.action then
    finding:snippet("allow the action in the policy of the role that the proxy runs as: the ECS task role (not the "
      .. "execution role), the role of the pod's service account, or the instance role", "envoy-policy.json",
      policy(what.action, what.arn or "*"))
    finding:advise("attach it", string.format(
      "aws iam put-role-policy --role-name %s --policy-name envoy-xds --policy-document file://envoy-policy.json", role_name(ev)))
    finding:advise("start the proxy anew, or wait for its next try: the stream is tried again by itself")
    finding:reference(PROXY_AUTHORIZATION)
    if what.action:match("^acm") then
      finding:advise("the proxy may open the stream, yet not read the certificate that its TLS settings name: allow "
        .. "acm:ExportCertificate on the certificate and acm-pca:GetCertificateAuthorityCertificate on its authority")
    end
    return
  end
  finding:advise("find what identity the proxy presents (role, service account, token) and what the server's log says of it")
  finding:advise("on App Mesh, allow appmesh:StreamAggregatedResources on the ARN of the proxy's own virtual node or "
    .. "gateway, in the task role; with Consul, give the proxy's token service:write on its service")
  ev:ask { evidence = "log/envoy.log", why = "the text after code 7 names the action and the resource that are refused",
    how = "the whole line: kubectl logs POD -c envoy | grep 'gRPC config stream', or the same in the task's log group" }
end

advise["identity-rejected"] = function(_, finding, group)
  if group.mesh == "consul" then
    finding:advise("check the token that the sidecar sends (initial_metadata x-consul-token): it needs service:write on the service",
      "consul acl token read -self")
    return
  end
  finding:advise("check the token or certificate that the proxy presents: does it exist, is it still valid, is it for this server and this workload",
    "kubectl exec POD -c istio-proxy -- ls -l /var/run/secrets/tokens")
  finding:advise("compare the clocks of proxy and server: a token is valid for a span of time")
end

advise["no-credentials"] = function(ev, finding)
  finding:reference(PROXY_AUTHORIZATION)
  ev:ask { evidence = "k8s/pods.json or aws/describe-task-definition.json",
    why = "the proxy's service account or task role says which credentials it should have found",
    how = "kubectl get pod POD -o json, or aws ecs describe-task-definition --task-definition FAMILY --output json" }
end

advise["resource-not-found"] = function(ev, finding)
  local proxy = ev:first("proxy")
  local node = proxy and proxy.node_id or ""
  local mesh, kind, name = node:match("mesh/([^/]+)/virtual(%a+)/([^/]+)$")
  local command = { Node = "aws appmesh describe-virtual-node --mesh-name %s --virtual-node-name %s",
    Gateway = "aws appmesh describe-virtual-gateway --mesh-name %s --virtual-gateway-name %s" }
  if mesh and command[kind] then
    finding:advise("see whether the resource that the proxy names exists in this account and region",
      string.format(command[kind], mesh, name))
  elseif node ~= "" then
    finding:advise(string.format("the proxy says that it is '%s': compare that with what the management server knows", node))
  else
    finding:advise("compare the node id that the proxy sends (server_info, node.id) with what the management server knows")
  end
  finding:advise("if the name is right, look at what the resource refers to (certificate, service discovery namespace), at the "
    .. "region and at the account; on Kubernetes the controller's log says why it did not create the resource")
end

advise["quota-exceeded"] = function(_, finding, group, close)
  if close.text == "" and not group.google then
    finding:confidence("possible")
      :candidate("grpc-codes.quota-exceeded", { ["for"] = "code 8 is how servers refuse more clients", against = "the server gave no text" })
      :candidate("grpc-codes.message-too-large", { ["for"] = "Envoy's own client reports a message above max_receive_message_length as 8 without a word of size",
        against = "only where the bootstrap sets that limit" })
  end
end

advise["unimplemented"] = function(_, finding, group)
  local asked = group.server and group.server.api_type
  finding:advise(asked and string.format("the bootstrap asks with api_type %s: use GRPC for a server without delta, DELTA_GRPC for one with delta only", asked)
    or "compare api_type (GRPC or DELTA_GRPC) and transport_api_version (V3) of the bootstrap with what the server serves")
end

advise["internal"] = function(ev, finding, group, close)
  finding:candidate("grpc-codes.graceful-close", { ["for"] = "servers end streams at a maximum age, about every 30 minutes",
    against = group.count > 1 and "the closes come more often than that" or nil })
  finding:candidate("ems-connection.not-connected", { ["for"] = close.plain == "" and "google_grpc reports every failed link as 13 without a text"
    or "the connection was cut under the stream" })
  ev:ask { evidence = "log/envoy.log", why = "the times of the closes tell rotation from a fault",
    how = "the log with its times, an hour of it: kubectl logs POD -c CONTAINER --timestamps --since=2h" }
  ev:ask { evidence = "admin/stats.txt", why = "control_plane.connected_state and update_success tell whether the stream came back",
    how = "debrief check http://HOST:9901 --sample 30s, or curl -s http://ADMIN/stats twice" }
end

-- Formats that take the server, the code and the text.
local SAYS = {
  ["no-credentials"] = "%s got no credentials from the proxy: %s, %s",
  ["identity-rejected"] = "%s does not accept who the proxy says it is: %s, %s",
  ["resource-not-found"] = "%s does not know what the proxy asks for: %s, %s",
  ["unimplemented"] = "%s does not serve the method that the proxy calls: %s, %s",
  ["permission-denied"] = "%s refuses the xDS stream with %s, %s",
  ["quota-exceeded"] = "%s takes no further stream: %s, %s",
}

local function message_of(slug, group, close)
  local code, said, name = code_of(close.code), quoted(close), group.shown
  local what = slug == "permission-denied" and denial(close) or {}
  if what.action then
    return string.format("%s refuses the xDS stream: %s may not perform %s%s", name, what.user or "the proxy's role",
      what.action, what.arn and (" on " .. what.arn) or "")
  elseif SAYS[slug] then
    return string.format(SAYS[slug], name, code, said)
  elseif slug == "message-too-large" then
    local size = match(close.text, [[\((?<got>\d+) vs\. (?<limit>\d+)\)]])
    return size and string.format("the configuration from %s has %s bytes, the limit of a gRPC message here is %s", name, size.got, size.limit)
      or close.code == 1 and string.format("the stream to %s ends with %s right after it connects, again and again: with google_grpc the sign of a message above its limit of 4 MiB", name, code)
      or string.format("the configuration from %s is larger than a gRPC message may be; the stream is closed with %s, %s", name, code, said)
  elseif slug == "internal" and group.count == 1 then
    return string.format("the stream to %s was closed once with %s, %s; whether that is rotation or a fault, this evidence does not tell", name, code, said)
  end
  return string.format("the xDS stream to %s is closed with %s, %s", name, code, said)
end

local function give_advice(ev, finding, slug, group, close)
  if advise[slug] then advise[slug](ev, finding, group, close) end
  for _, step in ipairs(STEPS[slug] or {}) do
    finding:advise(step[1], step[2])
  end
  finding:reference(STATUS_CODES)
end

-- ---- reporting ----

local function cite_all(finding, closes, group)
  finding:cite(closes[1].record):cite(closes[#closes].record)
  finding:span { count = group.count > #group.closes and group.count or #closes }
end

-- Closes of one kind, of the episode that lasts where a success stands between.
local function same(closes, slug, group, success)
  local found = {}
  for _, close in ipairs(closes) do
    local earlier = success and close.time and close.time <= success
    if not earlier and slug_of(close, group) == slug then found[#found + 1] = close end
  end
  return #found > 0 and found or closes
end

local function report_note(ev, group, closes, format, ...)
  local finding = ev:report("grpc-codes.graceful-close", "xds-server", group.name, format, ...)
  cite_all(finding:severity("info"):when("before"), closes, group)
end

local function report_before(ev, group, slug, close, marks)
  local start = marks.started > 0 and marks.started or marks.begins
  local early = #group.closes <= 3 and close.time and close.time - start <= 60
  if early and (close.code == 14 or slug == "link") then
    local finding = ev:report("grpc-codes.startup-retry", "xds-server", group.name,
      "the first connection to %s failed with %s while the proxy started; a later one succeeded", group.shown, code_of(close.code))
    cite_all(finding:when("before"), group.closes, group)
  elseif slug ~= "link" then
    local finding = ev:report("grpc-codes." .. slug, "xds-server", group.name, "%s; it is over, the stream came back since",
      message_of(slug, group, close))
    finding:severity("info"):when("before")
    cite_all(finding, same(group.closes, slug, group), group)
  end
end

local function report_trouble(ev, group, slug, close, link, marks)
  local finding = ev:report("grpc-codes." .. slug, "xds-server", group.name, "%s", message_of(slug, group, close))
  if link.connected == 0 or close.time and math.abs(ev:now() - close.time) < 600 then finding:when("now") end
  if slug == "internal" then
    finding:severity(group.count > 1 and "error" or "warning"):confidence("possible")
  elseif close.plain == "" or slug == "unknown-code" or slug == "message-too-large" and close.code == 1 then
    finding:confidence("likely")
  end
  cite_all(finding, same(group.closes, slug, group, marks.success), group)
  if slug == "no-credentials" then
    for record in ev:each("log.aws_credentials") do finding:cite(record) end
  elseif slug == "message-too-large" then
    for record in ev:each("event.too_large") do finding:cite(record) end
  end
  give_advice(ev, finding, slug, group, close)
end

-- The close that speaks for the group: the last one, unless it merely ends a series that was refused.
local function speaker(group)
  local last = group.closes[#group.closes]
  local slug = slug_of(last, group)
  if slug ~= "graceful-close" or not last.time then return last, slug end
  for i = #group.closes - 1, 1, -1 do
    local other = group.closes[i]
    local said = slug_of(other, group)
    if said ~= "graceful-close" and other.time and last.time - other.time < 120 then return other, said end
  end
  return last, slug
end

-- An agent's line tells the size where the proxy's own line has lost it.
local function refine(ev, slug)
  local vague = slug == "unknown-code" or slug == "internal" or slug == "unavailable"
  return vague and ev:count("event.too_large") > 0 and "message-too-large" or slug
end

local function drop_shutdown(ev, group, marks)
  local kept, dropped = {}, {}
  for _, close in ipairs(group.closes) do
    local to = during_shutdown(close, marks) and dropped or kept
    to[#to + 1] = close
  end
  if #dropped > 0 then
    report_note(ev, group, dropped, "the stream to %s ended because the proxy was told to stop", group.shown)
  end
  group.closes, group.count = kept, group.count - #dropped
end

local function judge(ev, group, link, marks)
  drop_shutdown(ev, group, marks)
  if #group.closes == 0 then return end
  local close, slug = speaker(group)
  slug = refine(ev, slug)
  local bland = slug == "internal" or slug == "unavailable" or slug == "unknown-code" or slug == "deadline-exceeded"
  if (bland or of_google(close, group)) and is_rotation(group, ev:param("rotation")) then
    report_note(ev, group, group.closes, "%s ends the stream at an even, long pace and takes it up again: its maximum connection age", group.shown)
  elseif slug == "graceful-close" or match(close.plain, SOFT) and not is_hammered(group) then
    report_note(ev, group, group.closes, "%s ended the stream in order (%s, %s)", group.shown, code_of(close.code), quoted(close))
  elseif is_recovered(ev, close, link, marks) then
    report_before(ev, group, slug, close, marks)
  elseif slug ~= "link" then
    report_trouble(ev, group, slug, close, link, marks)
  end
end

-- A log that shows a start and not its end acquits nobody: Envoy keeps failed tries to itself for half a minute.
local function ask_while_starting(ev, link, proxy)
  local begun, ready
  for record in ev:each("log.start") do
    if record.step == "initializing epoch" then begun = record end
  end
  for record in ev:each("log.workers_started") do ready = record end
  local over = begun and ready and (ev:time(ready) or 0) >= (ev:time(begun) or 0)
  if begun and not over and not link.ok and not (proxy and proxy.state == "LIVE") then
    ev:ask { evidence = "stats", why = "the log begins with a start that has not come to its end, too early to tell: Envoy logs a try that it repeats only after about 30 s",
      how = "curl -s http://ADMIN/stats, or the log of the next minute" }
  end
end

local function run(ev)
  local servers, proxy = read_servers(ev), ev:first("proxy")
  local link, marks = read_link(ev), read_marks(ev)
  local groups = groups_of(ev, servers, proxy and proxy.mesh)
  for _, group in ipairs(groups) do
    judge(ev, group, link, marks)
  end
  if #groups == 0 then ask_while_starting(ev, link, proxy) end
end

local EXPLAINS = {
  "probes.pre-initializing", "probes.initializing", "probes.live-unconfigured", "probes.listeners-unanswered",
  "probes.eds-unanswered", "probes.secret-unanswered", "probes.routes-unanswered", "ems-connection.not-connected",
  "ems-connection.no-answer", "ems-connection.flapping", "config-rejected.fetch-timed-out", "lb-health.no-listener",
  "lb-health.backend-unready",
}

local function kind(title, severity)
  return { title = title, severity = severity or "error", explains = severity ~= "info" and EXPLAINS or nil }
end

return debrief.check {
  id = "grpc-codes",
  title = "does the management server refuse or end the xDS stream, and why?",
  version = "0.1.0",
  tags = { "xds", "appmesh", "istio", "consul", "gateway" },
  needs = {
    "log.xds_closed", "?stats{grpc.*.streams_total}", "?stats{*control_plane.connected_state}",
    "?stats{cluster_manager.cds.update_*}", "?stats{listener_manager.lds.update_*}", "?log", "?log.start", "?log.stop", "?log.workers_started",
    "?log.config_rejected", "?log.aws_credentials", "?bootstrap", "?proxy", "?containers",
  },
  events = {
    answered = [[(cds: (add|response indicates|added/updated) |lds: add/update listener |connected to (delta )?upstream XDS server)]],
    google = [[notifyRemoteClose]],
    too_large = [[message larger than max \(\d+ vs\. \d+\)]],
  },
  params = {
    rotation = { type = "duration", default = "15m", help = "streams that live at least this long before they are closed are rotated, not cut" },
  },
  findings = {
    ["grpc-codes.graceful-close"] = kind("the stream was ended in order", "info"),
    ["grpc-codes.startup-retry"] = kind("the first connection failed, a later one succeeded", "info"),
    ["grpc-codes.resource-not-found"] = kind("the server does not know the proxy's resource"),
    ["grpc-codes.permission-denied"] = kind("the proxy is not permitted to open the xDS stream"),
    ["grpc-codes.no-credentials"] = kind("the proxy sends no credentials"),
    ["grpc-codes.identity-rejected"] = kind("the proxy's token or certificate is not accepted"),
    ["grpc-codes.quota-exceeded"] = kind("the server's limit of streams or proxies is reached"),
    ["grpc-codes.message-too-large"] = kind("the configuration is larger than a message may be"),
    ["grpc-codes.node-id-invalid"] = kind("the server cannot read the proxy's node id"),
    ["grpc-codes.deadline-exceeded"] = kind("the server does not answer in time"),
    ["grpc-codes.unimplemented"] = kind("the server does not serve the method that is called"),
    ["grpc-codes.unavailable"] = kind("the server says that it is not available"),
    ["grpc-codes.internal"] = kind("the stream is cut, the reason is not told"),
    ["grpc-codes.unknown-code"] = kind("the stream is closed with a code that tells no reason", "warning"),
  },
  run = run,
}
