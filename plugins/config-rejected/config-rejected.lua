-- What the proxy was sent and refused (NACK). Reads rejections in logs of the proxy and of control planes, error
-- states in the configuration dump, and the counters of subscriptions; reports one finding per refused resource, named
-- after the reason, and tells trouble from history by what was accepted afterwards. Sockets that cannot be bound are
-- low-ports' to name.

local XDS_DOCS = "https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#ack-nack-and-resource-type-instance-version"

local KINDS = {
  listener = { prefix = "listener_manager.lds.", type = "%.Listener$", title = "Listener" },
  cluster = { prefix = "cluster_manager.cds.", type = "%.Cluster$", title = "Cluster" },
}

-- The first row that matches the reason decides; several may match, so the narrow ones stand first.
local REASONS = {
  { id = "deprecated-field", "Using deprecated option", "v2 xDS major version", "V2 .* xDS transport protocol versions? .* deprecated",
    "deprecated field", "deprecated and disabled",
    fix = "set the field that took its place (the message names the old one), or update the control plane or filter that still writes an old "
      .. "API; where the v2 API is named: transport_api_version: V3 in each grpc_service and config source" },
  { id = "duplicate-filter-chain", "same matching rules defined", "overlapping matching rules",
    "filter chains with the same matching rules",
    fix = "give each filter chain of the listener its own filter_chain_match, or drop the twin" },
  { id = "duplicate-address", "has duplicate address",
    fix = "give each listener an address and port of its own, or merge the two into one listener" },
  { id = "missing-extension", "find a registered", "could not find @type", "unknown type: .+ for type Any",
    "Invalid type URL",
    fix = "send only extensions that this build of Envoy has: correct the name and type URL, or run an image that holds it (a distribution's build, contrib, or a newer version)" },
  { id = "unknown-field", "has unknown fields", "unknown field set", "no such field", "Cannot find field",
    fix = "the control plane speaks a newer API than this Envoy, or the field is misspelt: bring both to matching versions, or correct the name" },
  { id = "ipv6-unsupported", "IPv6 addresses are not supported on this machine",
    fix = "this host has no IPv6: bind 0.0.0.0 instead of ::, or switch IPv6 on (for nodes and containers alike)",
    command = "cat /proc/sys/net/ipv6/conf/all/disable_ipv6; test -e /proc/net/if_inet6 && echo there" },
  { id = "invalid-address", "malformed IP address", "malformed url", "invalid ip address", "[Ii]nvalid IP address",
    "unresolvable address",
    fix = "an IP address must stand there, not a host name: resolve it, or let a cluster of type STRICT_DNS or LOGICAL_DNS hold the name" },
  { id = "unknown-cluster", "unknown cluster", "unknown weighted cluster", "unknown shadow cluster", "unknown request mirror",
    fix = "send the cluster before the route that names it, or correct its name in the route" },
  { id = "invalid-secret", "[Ff]ailed to load .*certificate", "[Ff]ailed to load .*private key", "[Ff]ailed to load .*trusted CA",
    "[Ff]ailed to load .*CRL", "[Ff]ailed to parse .*certificate", "private key .*match", "KEY_VALUES_MISMATCH",
    "[Ii]nvalid .*certificate", "certificate .*[Ii]nvalid", "Unexpected SDS secret", "has no leaf certificate",
    "[Ii]nvalid path: .*%.pem", "[Ii]nvalid path: .*%.crt", "[Ii]nvalid path: .*%.key", "only one of .*certificate",
    "existing path in the system: '.*%.pem", "existing path in the system: '.*%.crt", "existing path in the system: '.*%.key",
    "existing path in the system: '.*/certs/", "existing path in the system: '.*/tls/",
    fix = "replace the certificate, key or CA bundle: complete PEM, the key that belongs to the leaf, the leaf first; where a path is named, the "
      .. "file must be there inside the proxy's own container (a volume that is not mounted, another directory)",
    command = "openssl x509 -in CERT.pem -noout -subject -dates -pubkey | openssl sha256; openssl pkey -in KEY.pem -pubout | openssl sha256" },
  { id = "constraint-violated", "constraint validation failed", "ValidationError%.",
    fix = "correct the field that the message names: its value breaks the rules of the API" },
}

-- Where configuration comes from, in the words of each control plane.
local PLANES = {
  istio = { "find the EnvoyFilter, Gateway, VirtualService or DestinationRule that it was made from",
    "istioctl analyze -A; kubectl get envoyfilters -A; istioctl proxy-status" },
  consul = { "find it in the proxy's configuration: an escape hatch (envoy_*_json) in proxy-defaults, service-defaults or the registration",
    "consul config read -kind proxy-defaults -name global" },
  ["envoy-gateway"] = { "find the EnvoyPatchPolicy, EnvoyProxy or Gateway that it was made from (Programmed=True tells only that it was sent)",
    "kubectl get envoypatchpolicies,gateways,envoyproxies -A -o yaml" },
  appmesh = { "find the field in the virtual node, virtual gateway or route, or in the variables of the Envoy container that add to it",
    "aws appmesh describe-virtual-node --mesh-name MESH --virtual-node-name NODE" },
  contour = { "find the HTTPProxy, Ingress or Contour configuration that it was made from", "kubectl get httpproxies,ingresses -A" },
  kuma = { "find the policy that it was made from (MeshProxyPatch, ProxyTemplate)", "kumactl inspect dataplane NAME --type=config-dump" },
}

-- On one line, without the mark (goo.gle/debugonly) that protobuf puts into texts which are not for machines.
local function clean(text)
  text = text:gsub("goo%.gle/debug%S*", ""):gsub("%s+", " ")
  return (text:gsub("^[%s:,]+", ""):gsub("%s+$", ""))
end

-- A violated rule stands behind the whole message that broke it, in text form.
local function essence(reason)
  local tail = reason:match("^.*[}%]] ?: (Proto constraint validation failed.*)$")
  return tail or reason
end

local function classify(reason)
  for _, row in ipairs(REASONS) do
    for _, pattern in ipairs(row) do
      if reason:find(pattern) then return row end
    end
  end
end

local function is_bind_failure(text)
  return text:lower():find("cannot bind", 1, true) ~= nil
end

local function last_word(type_url, otherwise)
  return (type_url or ""):match("([^./]+)$") or otherwise
end

-- What a refused thing belongs to: the subscription that brings it.
local function family_of(kind, type_url)
  if KINDS[kind] or kind == "route-config" or kind == "secret" then return kind end
  local url = type_url or ""
  if url:match(KINDS.listener.type) or url:find("listeners", 1, true) then return "listener" end
  if url:match(KINDS.cluster.type) or url:find("clusters", 1, true) then return "cluster" end
  if url:find("RouteConfiguration", 1, true) then return "route-config" end
  if url:find("Secret", 1, true) then return "secret" end
  return url:find("LoadAssignment", 1, true) and "endpoint" or "other"
end

-- Prose, where a message that is quoted over many lines has values.
local function starts_reason(text)
  return text:match("^[%a'].* ") ~= nil
end

local function add_subject(found, kind, type_url, name, reason)
  local whole = name == ""
  found[#found + 1] = { kind = whole and "config" or kind, name = whole and last_word(type_url, KINDS[kind].title) or name,
    reason = reason, family = kind }
end

-- "A: reason, B: reason" on one line: B begins where a name stands before a reason that we know.
local function split_line(found, kind, type_url, name, reason)
  local from = 1
  while true do
    local at, after, other = reason:find(", (%S+): ", from)
    if not at then break end
    local rest = reason:sub(after + 1)
    if classify(rest) and classify(reason:sub(1, at - 1)) and starts_reason(rest) then
      add_subject(found, kind, type_url, name, reason:sub(1, at - 1))
      name, reason, from = other, rest, 1
    else
      from = after
    end
  end
  add_subject(found, kind, type_url, name, reason)
end

-- "Error adding/updating listener(s) NAME: reason", further ones on lines of their own, or a bare reason.
local function subjects(text, type_url)
  local kind, list = text:match("^Error adding/updating (%l+)%(?s?%)? (.+)$")
  if not KINDS[kind] then
    return { { kind = "config", name = last_word(type_url, "xDS"), reason = text, family = family_of("config", type_url) } }
  end
  local found = {}
  for line in list:gmatch("[^\n]+") do
    local name, reason = line:match("^%s*(%S*): (.+)$")
    if name and (not found[1] or name ~= "" and starts_reason(reason)) then
      split_line(found, kind, type_url, name, reason)
    elseif found[1] then
      found[#found].reason = found[#found].reason .. " " .. line
    end
  end
  if not found[1] then return { { kind = "config", name = last_word(type_url, KINDS[kind].title), reason = list, family = kind } } end
  return found
end

-- ---- what was accepted, and when ----

local function same_origin(a, b)
  return a.container == b.container and a.workload == b.workload
end

-- A record of EVENT by the same writer on the other side of RECORD in time, that ACCEPTS takes.
local function is_beside(ev, event, record, before, accepts)
  local time = ev:time(record)
  for other in ev:each(event) do
    local at = ev:time(other)
    local fits = time and at and (before and at < time or not before and at > time)
    if fits and same_origin(record, other) and accepts(other) then return true end
  end
  return false
end

local function accepted(ev, subject, record, before)
  local named = subject.kind == "cluster" and is_beside(ev, "event.cluster_added", record, before, function(each)
    return each.cluster == subject.name
  end)
  return named or is_beside(ev, "log.xds_answered", record, before, function(each)
    if subject.kind == "listener" then return each.listener == subject.name end
    if subject.family == "cluster" and before then return false end
    if subject.family == "cluster" then return (ev:number(each, "clusters") or 0) > 0 end
    if subject.family == "listener" then return each.listener ~= nil end
    return false
  end)
end

local function began_anew(ev, record)
  return is_beside(ev, "log.start", record, false, function(each) return each.step and each.step:find("epoch", 1, true) end)
end

-- Listeners by name: the error of the last update while it is refused, false when the dump shows none.
local function read_dump(ev)
  local dump = {}
  for record in ev:each("xds.listeners") do
    local name = record.name
    if name then
      local entry = dump[name] or { bad = false, serves = false }
      if record.state == "rejected" or record.error then entry.bad, entry.record = true, record end
      if record.state ~= "rejected" then entry.serves = true end
      dump[name] = entry
    end
  end
  return dump
end

-- Subscriptions of single resources have counters with their name in them.
local function subscription_of(name)
  local lds = name:match("^listener_manager%.lds%.(.+)$")
  if lds then return "listener", nil, lds end
  local cds = name:match("^cluster_manager%.cds%.(.+)$")
  if cds then return "cluster", nil, cds end
  local secret, leaf = name:match("sds%.(.+)%.(update_[a-z_]+)$")
  if secret then return "secret", secret, leaf end
  local route, slug = name:match("%.rds%.(.+)%.(update_[a-z_]+)$")
  if route then return "route-config", route, slug end
  local cluster, rest = name:match("^cluster%.(.+)%.(update_rejected)$")
  if cluster then return "endpoint", cluster, rest end
end

-- Per family: when something was last accepted, and the single resources that were refused.
local function read_counters(ev)
  local facts = { updated = {}, refused = {} }
  for record in ev:each("stats") do
    local value = ev:number(record, "value")
    local family, name, leaf = subscription_of(record.name or "")
    if family and value then
      if leaf == "update_time" then
        facts.updated[family] = facts.updated[family] or {}
        table.insert(facts.updated[family], value)
      elseif leaf == "update_rejected" and value > 0 and name then
        facts.refused[family] = facts.refused[family] or {}
        table.insert(facts.refused[family], { name = name, record = record, value = value })
      end
    end
  end
  return facts
end

-- update_time is the last accepted update: a refusal before it was mended, unless the dump still shows it.
local function is_over(ev, facts, subject, record)
  local entry = subject.kind == "listener" and facts.dump[subject.name]
  if entry then return not entry.bad end
  if accepted(ev, subject, record, false) or began_anew(ev, record) then return true end
  local time = ev:time(record)
  for _, at in ipairs(facts.updated[subject.family] or {}) do
    if time and at / 1000 > time then return true end
  end
  return false
end

-- ---- reporting ----

local function advise(ev, facts, finding, row)
  if row then finding:advise(row.fix, row.command) end
  local proxy = ev:first("proxy")
  local plane = proxy and PLANES[proxy.mesh]
  if plane then
    finding:advise(plane[1], plane[2])
  else
    finding:advise("correct it where it is made (control plane, snapshot of a go-control-plane cache, file); the proxy keeps what it "
      .. "had until it is sent an update that it can accept", "curl -s 'http://ADMIN/stats?filter=update_(rejected|success)'")
  end
  finding:reference(XDS_DOCS)
end

-- The proxy serves an older version of what it refused: nobody notices until it starts again.
local function report_last_good(ev, facts, subject, record)
  local entry = subject.kind == "listener" and facts.dump[subject.name]
  local serves = entry and entry.serves
  if not entry and KINDS[subject.kind] then serves = accepted(ev, subject, record, true) end
  if not serves then return end
  ev:report("config-rejected.last-good-config", subject.kind, subject.name,
    "%s %s runs on the last good configuration, because the newer one was rejected: it breaks at the next restart",
    subject.kind, subject.name):cite(record):when("now"):reference(XDS_DOCS)
    :advise("do not restart or scale out this proxy before the rejected update is corrected: a new process has no older version")
end

local function report_rejected(ev, facts, subject, record, over)
  local reason = essence(clean(subject.reason))
  local row = classify(reason)
  if not row and subject.family == "secret" then
    for _, each in ipairs(REASONS) do row = each.id == "invalid-secret" and each or row end
  end
  local text = subject.kind == "config" and "an update of %s was rejected: \"%s\"%s" or subject.kind .. " %s was rejected: \"%s\"%s"
  local finding = ev:report("config-rejected." .. (row and row.id or "rejected"), subject.kind, subject.name, text, subject.name,
    reason, over and "; a later update was accepted" or ""):cite(record)
  facts.explained[subject.family] = true
  if over then
    finding:severity("info"):when("before")
    return
  end
  advise(ev, facts, finding, row)
  report_last_good(ev, facts, subject, record)
  if row and row.id == "invalid-address" and reason:find(":2000", 1, true) then
    finding:candidate("envoy-image.tracer-address", { ["for"] = "2000 is the X-Ray daemon's port: AWS_XRAY_DAEMON_ADDRESS or the "
      .. "tracing configuration may hold a host name" })
  end
  return finding, row
end

-- A route that names a cluster which follows a moment later is sent again, and no line says so.
local function soften(ev, finding, row, subject)
  if not finding or subject.family ~= "route-config" then return end
  finding:confidence("likely")
  if not row or row.id ~= "unknown-cluster" then return end
  finding:severity("warning")
  ev:ask { evidence = "admin/stats.txt, admin/clusters.json",
    why = "routes that arrive before their cluster are refused for a moment only: the counters and the clusters tell whether it lasted",
    how = "curl -s 'http://ADMIN/stats?filter=rds' and curl -s http://ADMIN/clusters" }
end

-- A line that names only the kind, and one counter that names the resource.
local function name_by_counter(facts, subject)
  local refused = facts.refused[subject.family]
  if subject.kind == "config" and refused and #refused == 1 then
    subject.kind = subject.family == "endpoint" and "cluster" or subject.family
    subject.name = refused[1].name
  end
end

-- A text of many lines may have been cut before it said why.
local function complete_reason(ev, subject, record)
  if #subject.reason < 2000 or classify(subject.reason) then return end
  local time = ev:time(record)
  for tail in ev:each("event.verdict") do
    if ev:time(tail) == time then subject.reason = subject.reason .. " " .. (tail.message or "") end
  end
end

local function take(ev, facts, newest, order, record, text, type_url)
  for _, subject in ipairs(subjects((text:gsub("^[%s:,]+", "")), type_url)) do
    name_by_counter(facts, subject)
    complete_reason(ev, subject, record)
    local key = subject.kind .. " " .. subject.name
    if is_bind_failure(subject.reason) then
      facts.explained[subject.family] = true
    elseif clean(subject.reason) ~= "" then
      if not newest[key] then order[#order + 1] = key end
      newest[key] = { subject = subject, record = record }
    end
  end
end

-- The newest word on each subject: older lines were overtaken by it.
local function from_log(ev, facts)
  local newest, order = {}, {}
  for record in ev:each("event.told") do -- control planes quote what the proxy answered them
    take(ev, facts, newest, order, record, "Error adding/updating " .. record.kind .. "(s) " .. (record.rest or ""), nil)
  end
  for record in ev:each("log.config_rejected") do
    take(ev, facts, newest, order, record, record.rest or "", record.type_url)
  end
  for _, key in ipairs(order) do
    local subject, record = newest[key].subject, newest[key].record
    local over = is_over(ev, facts, subject, record)
    local finding, row = report_rejected(ev, facts, subject, record, over)
    soften(ev, finding, row, subject)
  end
end

local function from_dump(ev, facts)
  for name, entry in pairs(facts.dump) do
    if entry.bad then
      facts.explained.listener = true
      local reason = entry.record.error or ""
      if clean(reason) ~= "" and not is_bind_failure(reason) then
        local subject = { kind = "listener", name = name, reason = reason, family = "listener" }
        report_rejected(ev, facts, subject, entry.record, false):when("now")
      end
    end
  end
end

-- A dump that the proxy cannot print holds a refused listener with a type that it does not know.
local function from_unreadable(ev, facts)
  for record in ev:each("xds.resources") do
    if record.state == "rejected" and not record.name and record.error and not facts.explained.listener then
      local subject = { kind = "config", name = "Listener", reason = record.error, family = "listener" }
      report_rejected(ev, facts, subject, record, false):severity("warning"):confidence("likely")
    end
  end
end

local function ask_reason(ev, what)
  ev:ask { evidence = "log/envoy.log, admin/config_dump.json", why = "they hold the reason why " .. what .. " were rejected",
    how = "@log@; or curl -s http://ADMIN/config_dump > config_dump.json" }
end

local function report_counted(ev, kind, name, what, record, severity, more)
  return ev:report("config-rejected.rejected", kind, name, "updates of %s were rejected%s; the evidence does not hold the reason",
    what, more):severity(severity):cite(record):reference(XDS_DOCS)
    :advise("read the reason in the proxy's log", "grep -E 'config for .* rejected' envoy.log")
end

-- Whole families: LDS and CDS.
local function from_totals(ev, facts, kind)
  local rejected, record = ev:stat(KINDS[kind].prefix .. "update_rejected")
  local success = ev:stat(KINDS[kind].prefix .. "update_success")
  rejected, success = tonumber(rejected), tonumber(success)
  if not rejected or rejected == 0 or facts.explained[kind] then return end
  local never, growing = success == 0, (ev:number(record, "change") or 0) > 0
  report_counted(ev, "config", KINDS[kind].title, kind .. "s", record, (never or growing) and "warning" or "info",
    string.format(" (%d)%s%s", rejected, never and " and none was accepted" or "", growing and ", and it goes on" or ""))
  if never or growing then ask_reason(ev, kind .. "s") end
  facts.explained[kind] = true
end

-- Single resources: routes, secrets, endpoints.
local function from_single(ev, facts)
  for family, list in pairs(facts.refused) do
    for _, each in ipairs(facts.explained[family] and {} or list) do
      local prefix = each.record.name:gsub("update_rejected$", "")
      local success = tonumber((ev:stat(prefix .. "update_success")))
      local growing = (ev:number(each.record, "change") or 0) > 0
      local kind = family == "endpoint" and "cluster" or family
      local bad = growing or success == 0
      report_counted(ev, kind, each.name, (family == "endpoint" and "the endpoints of cluster " or family .. " ") .. each.name,
        each.record, bad and "warning" or "info",
        string.format(" (%d)%s", each.value, success == 0 and " and none was accepted" or growing and ", and it goes on" or ""))
      if bad then ask_reason(ev, "updates of " .. each.name) end
    end
  end
end

-- Istio's agent counts for its Envoy.
local function from_agent(ev, facts)
  local record = ev:last("log.not_ready")
  for kind, column in pairs { listener = "lds_bad", cluster = "cds_bad" } do
    local bad = record and ev:number(record, column) or 0
    if bad > 0 and not facts.explained[kind] then
      local over = is_over(ev, facts, { kind = "config", family = kind }, record)
      report_counted(ev, "config", KINDS[kind].title, kind .. "s", record, over and "info" or "warning",
        string.format(" (%d, as Istio's agent counts)", bad))
      if not over then ask_reason(ev, kind .. "s") end
      facts.explained[kind] = true
    end
  end
end

-- What Envoy ignores instead of refusing: worth knowing when a setting has no effect.
local function from_ignored(ev)
  local record = ev:last("event.ignored")
  local value, stat = ev:stat("server.dynamic_unknown_fields")
  if not record and (tonumber(value) or 0) == 0 then return end
  ev:report("config-rejected.unknown-field", "config", record and last_word((record.type or ""):gsub("%(.*", ""), "xDS") or "xDS",
    "the control plane sends fields that this Envoy does not know; they are ignored, so what they should do does not happen%s",
    record and string.format(" (field numbers %s of %s)", record.fields or "?", record.type or "?") or "")
    :severity("info"):cite(record or stat)
    :advise("bring the control plane and Envoy to matching versions")
end

-- What the control plane says: it sent something and waits for an answer, or got a refusal.
local function waits_for(ev, proxy, what, never, record)
  ev:report("config-rejected.never-acknowledged", "proxy", proxy,
    "the control plane sent proxy %s an update%s and got no answer to it%s (STALE)", proxy, what or "",
    never and ", and never got one" or ""):cite(record)
    :advise("read the proxy's log: it refused the update, hangs, or lost the connection", "istioctl proxy-config log " .. proxy .. "; kubectl logs POD -c CONTAINER")
  ev:ask { evidence = "log/envoy.log, admin/stats.txt", why = "they tell whether the proxy refused the update, or never got it",
    how = "@log@; curl -s http://ADMIN/stats > stats.txt" }
end

local function from_status(ev)
  for record in ev:each("event.stale") do waits_for(ev, record.node or "envoy", nil, record.never, record) end
  for record in ev:each("xds.sync") do
    local proxy, status, rejected, updates = record.proxy or "envoy", record.status, ev:number(record, "rejected") or 0, ev:number(record, "updates")
    local what = record.type and record.type .. "s" or "all kinds"
    if status == "stale" or status == "never acknowledged" then
      waits_for(ev, proxy, record.type and " of its " .. what, status ~= "stale", record)
    elseif status == "error" then
      ev:report("config-rejected.rejected", "proxy", proxy, "proxy %s rejected its last update of %s, says the control plane%s", proxy, what,
        record.error and ": " .. record.error or "; it does not say why"):when("now"):cite(record):reference(XDS_DOCS)
        :advise("read the reason in the proxy's log", "kubectl logs POD -c CONTAINER | grep -E 'config for .* rejected'")
      if not record.error then ask_reason(ev, "updates of " .. what .. " of " .. proxy) end
    elseif rejected > 0 and not record.type then
      local never = updates == rejected
      report_counted(ev, "proxy", proxy, "all kinds for " .. proxy, record, never and "warning" or "info",
        string.format(" (%d of %s, as the control plane counts)", rejected, updates and string.format("%d", updates) or "?"))
      if never then ask_reason(ev, "updates of " .. proxy) end
    end
  end
end

-- `consul troubleshoot proxy` adds up update_rejected of all kinds since the proxy started.
local function from_consul(ev)
  local record = ev:last("event.consul")
  if not record or record.count == "0" then return end
  report_counted(ev, "proxy", (ev:first("proxy") or {}).node_id or "envoy", "some kind", record, "info", " (" .. record.count .. " since the proxy started, says consul troubleshoot)")
  ask_reason(ev, "updates")
end

local EXPLAINS = { "config-rejected.last-good-config", "config-rejected.never-acknowledged", "probes.live-unconfigured",
  "probes.listeners-unanswered", "probes.routes-unanswered", "probes.secret-unanswered", "probes.initializing",
  "probes.pre-initializing", "lb-health.no-listener", "lb-health.backend-unready", "upstreams.no-route" }

local function refused(title)
  return { title = title, severity = "error", explains = EXPLAINS }
end

return debrief.check {
  id = "config-rejected",
  title = "does the proxy accept the configuration that it is given?",
  applies = "mode != proxyless",
  version = "0.2.0",
  tags = { "xds", "istio", "consul", "gateway" },
  needs = {
    "log | text | xds.sync | xds.listeners | xds.resources{listener} | stats{listener_manager.lds.update_rejected} | stats{cluster_manager.cds.update_rejected}",
    "?log.config_rejected", "?log.start", "?log.not_ready", "?log.xds_answered", "?xds.listeners", "?xds.resources{listener}", "?proxy",
    "?stats{listener_manager.lds.update_*}", "?stats{cluster_manager.cds.update_*}", "?stats{*sds.*.update_*}",
    "?stats{*.rds.*.update_*}", "?stats{cluster.*.update_rejected}",
    "?stats{server.dynamic_unknown_fields}", "?xds.sync",
  },
  events = {
    cluster_added = [[cds: add/update cluster '(?<cluster>[^'\n]+)']],
    told = [[(?:errorMessage|ACK ERROR|got error response from envoy|desc = |error_detail|NACK|rejected by Envoy|[a-z] rejected:)[^\n]{0,400}Error adding/updating (?<kind>listener|cluster)\(s\)]],
    verdict = [[(Proto constraint validation failed|has unknown fields)]],
    ignored = [[Unknown field: type (?<type>[^ ]+) with unknown field set \{(?<fields>[^}\n]*)]],
    consul = [[Envoy has (?<count>\d+) rejected configurations]],
    stale = [[^(?<node>[a-z0-9][a-z0-9.-]+\.[a-z0-9-]+) .*[^A-Z]STALE(?<never> \(Never Acknowledged\))?]],
  },
  findings = {
    ["config-rejected.duplicate-filter-chain"] = refused "two filter chains of a listener match the same connections",
    ["config-rejected.duplicate-address"] = refused "two listeners have the same address",
    ["config-rejected.unknown-field"] = refused "an update holds a field that this Envoy does not know",
    ["config-rejected.deprecated-field"] = refused "an update holds a field that this Envoy no longer takes",
    ["config-rejected.missing-extension"] = refused "an update needs an extension that this Envoy lacks",
    ["config-rejected.ipv6-unsupported"] = refused "an IPv6 address on a machine without IPv6",
    ["config-rejected.invalid-address"] = refused "an address is none",
    ["config-rejected.unknown-cluster"] = refused "a route names a cluster that the proxy does not have",
    ["config-rejected.invalid-secret"] = refused "a certificate or key cannot be used",
    ["config-rejected.constraint-violated"] = refused "a value breaks the rules of the API",
    ["config-rejected.rejected"] = refused "an update was rejected by the proxy",
    ["config-rejected.last-good-config"] = { title = "the proxy runs on its last good configuration", severity = "warning" },
    ["config-rejected.never-acknowledged"] = { title = "the control plane waits for the proxy's answer", severity = "warning" },
  },
  run = function(ev)
    local facts = read_counters(ev)
    facts.dump, facts.explained = read_dump(ev), {}
    from_log(ev, facts)
    from_dump(ev, facts)
    from_unreadable(ev, facts)
    from_totals(ev, facts, "listener")
    from_totals(ev, facts, "cluster")
    from_single(ev, facts)
    from_agent(ev, facts)
    from_ignored(ev)
    from_status(ev)
    from_consul(ev)
  end,
}
