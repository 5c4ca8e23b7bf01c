-- What google_grpc's close counters tell where the log does not: they outlive log levels and rotation, but have
-- neither text nor time. Speaks only of codes that no line of the log has. A 13 is left to ems-connection: this
-- client reports every link that did not come about so.

local TELLS = {
  [1] = { "message-too-large", "with this client the sign of a message above its limit of 4 MiB",
    "raise channel_args grpc.max_receive_message_length of google_grpc in the bootstrap, or send less configuration" },
  [3] = { "resource-not-found", "the server does not know what the proxy asks for",
    "compare node.id of the proxy with the resources that exist in this account and region" },
  [4] = { "deadline-exceeded", "the server did not answer in time", "look at the server's load and at the network between" },
  [5] = { "resource-not-found", "the server does not know what the proxy asks for",
    "compare node.id of the proxy with what the management server knows" },
  [7] = { "permission-denied", "the server knows who the proxy is and refuses it",
    "App Mesh: allow appmesh:StreamAggregatedResources on the proxy's resource to the role that it runs as; elsewhere look at the ACL of its token" },
  [8] = { "quota-exceeded", "the server takes no further stream, or the message is too large",
    "count the proxies that share this identity against the limit of the server (App Mesh: 50 per virtual node)" },
  [12] = { "unimplemented", "the server does not serve the method", "compare api_type and address of the bootstrap with what the server serves" },
  [14] = { "unavailable", "the server says that it cannot serve", "look at the health and the log of the management server" },
  [16] = { "no-credentials", "the server got no credentials, or none that it accepts",
    "see which role or service account the proxy runs as (ECS: the task role, not the execution role)" },
}
local VAGUE = { "unknown-code", "the code tells no reason", "look for the same moment in the management server's log" }

local function read_link(ev)
  local connected, ok
  for record in ev:each("stats") do
    local value = ev:number(record, "value")
    if value and record.name:match("control_plane%.connected_state$") then
      connected = math.max(connected or 0, value)
    elseif value and (record.name:match("%.[cl]ds%.update_success$")) then
      ok = (ok or 0) + value
    end
  end
  return { connected = connected, up = (connected or 0) >= 1 and (ok or 0) > 0 }
end

local function subject_of(ev, prefix)
  local only, several
  for record in ev:each("bootstrap") do
    local name = record.address or record.target
    if record.stat_prefix == prefix and name then return name end
    if name and record.client == "google_grpc" then
      only, several = name, several or only and only ~= name
    end
  end
  local last = ev:last("log.xds_closed")
  return only and not several and only or last and last.peer or "xds server"
end

local function report(ev, record, prefix, code, count, link)
  local tells = TELLS[code] or VAGUE
  local name = subject_of(ev, prefix)
  local finding = ev:report("grpc-codes." .. tells[1], "xds-server", name,
    "the stream to %s was closed %d times with code %d: %s%s", name == "xds server" and "the management server" or name,
    count, code, tells[2], link.up and "; the stream is up now" or "")
  finding:confidence("likely"):cite(record):span { count = count }
  if link.up then
    finding:severity("info"):when("before")
    return
  end
  if link.connected == 0 then finding:when("now") end
  finding:advise(tells[3])
  ev:ask { evidence = "log/envoy.log", why = string.format("the counter says code %d only, the log has the server's text", code),
    how = "@log@" }
end

local function run(ev)
  local told, link, any = {}, read_link(ev), false
  for record in ev:each("log.xds_closed") do
    told[ev:number(record, "code") or -1] = true
  end
  for record in ev:each("stats") do
    local prefix, code = (record.name or ""):match("^grpc%.(.-)%.streams_closed_(%d+)$")
    local count = prefix and ev:number(record, "value") or 0
    any = any or prefix ~= nil
    code = tonumber(code)
    local fault = code ~= 0 and code ~= 13 and (code ~= 1 or count > 1)
    if count > 0 and fault and not told[code] then
      report(ev, record, prefix, code, math.floor(count), link)
    end
  end
  if not any then ev:not_applicable("the statistics hold no google_grpc stream") end
end

local EXPLAINS = {
  "probes.pre-initializing", "probes.initializing", "probes.live-unconfigured", "probes.listeners-unanswered",
  "probes.eds-unanswered", "probes.secret-unanswered", "probes.routes-unanswered", "ems-connection.not-connected",
  "ems-connection.no-answer", "ems-connection.flapping", "config-rejected.fetch-timed-out", "lb-health.no-listener",
  "lb-health.backend-unready",
}

local function kind(title, severity)
  return { title = title, severity = severity or "error", explains = EXPLAINS }
end

return debrief.check {
  id = "grpc-codes/counters",
  title = "do google_grpc's counters tell of closes that the log does not have?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "xds", "appmesh" },
  needs = {
    "stats{grpc.*.streams_closed_*}", "?stats{*control_plane.connected_state}", "?stats{cluster_manager.cds.update_success}",
    "?stats{listener_manager.lds.update_success}", "?log.xds_closed", "?bootstrap",
  },
  findings = {
    ["grpc-codes.resource-not-found"] = kind("the server does not know the proxy's resource"),
    ["grpc-codes.permission-denied"] = kind("the proxy is not permitted to open the xDS stream"),
    ["grpc-codes.no-credentials"] = kind("the proxy sends no credentials"),
    ["grpc-codes.quota-exceeded"] = kind("the server's limit of streams or proxies is reached"),
    ["grpc-codes.message-too-large"] = kind("the configuration is larger than a message may be"),
    ["grpc-codes.deadline-exceeded"] = kind("the server does not answer in time"),
    ["grpc-codes.unimplemented"] = kind("the server does not serve the method that is called"),
    ["grpc-codes.unavailable"] = kind("the server says that it is not available"),
    ["grpc-codes.unknown-code"] = kind("the stream is closed with a code that tells no reason", "warning"),
  },
  run = run,
}
