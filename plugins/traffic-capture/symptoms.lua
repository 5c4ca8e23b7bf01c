-- What applications say when their traffic is captured that should not be: a mount refused before the proxy runs, a
-- client that waits for a server's greeting while the proxy waits for the client. The same words have other causes, so
-- they count only together with a capture that reaches the port.

local match = debrief.match

local DOC = "https://docs.aws.amazon.com/app-mesh/latest/userguide/troubleshooting-connectivity.html"
local PRIVATE = [[^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)]]
local GREETINGS = { mysql = "3306", smtp = "25", ssh = "22" }
local INSPECTOR_FIXED = 15 -- App Mesh images from 1.15 on let what is no backend pass

local function holds(list, port)
  for part in (list or ""):gmatch("[^,%s]+") do
    local from, to = part:match("^(%d+)[:-](%d+)$")
    from, to = tonumber(from or part), tonumber(to or part)
    if from and to and tonumber(port) >= from and tonumber(port) <= to then return true end
  end
  return false
end

-- The capture that reaches outbound traffic to PORT; nil and whether any capture is known at all.
local function capturing(ev, port, workload)
  local any = false
  for record in ev:each("capture") do
    local unknown = "," .. (record.unknown or "") .. ","
    local told = not unknown:find(",ignored_ports,", 1, true)
    any = true
    if told and (not workload or record.workload == workload) and not holds(record.ignored_ports, port) then return record, true end
  end
  return nil, any
end

local function ask_for_capture(ev, port)
  ev:ask { evidence = "capture",
    why = "whether traffic to port " .. port .. " passes the proxy (EgressIgnoredPorts, excludeOutboundPorts; tls_inspector in the egress listener's listener_filters)",
    how = "@definition@; curl -s http://ADMIN/config_dump > config_dump.json" }
end

local function ignored_setting(capture)
  if capture.platform == "ecs" then return "EgressIgnoredPorts" end
  return capture.by == "istio" and "traffic.sidecar.istio.io/excludeOutboundPorts"
    or capture.by == "consul" and "consul.hashicorp.com/transparent-proxy-exclude-outbound-ports" or "appmesh.k8s.aws/egressIgnoredPorts"
end

-- ---- mounts and calls before the proxy runs ----

local function judge_mount(ev)
  for record in ev:each("event.mount") do
    local capture, any = capturing(ev, "2049", record.workload)
    if capture then
      ev:report("traffic-capture.port-not-ignored", capture.platform == "ecs" and "task" or "pod", capture.workload or "proxyConfiguration",
        "the NFS mount is refused: port 2049 is captured and the proxy does not run yet"):cite(record):cite(capture)
        :advise("add 2049 to " .. ignored_setting(capture)):reference(DOC)
    elseif not any then
      ask_for_capture(ev, "2049")
    end
  end
end

local function is_proxys(record, capture)
  return record.origin == "envoy" or record.container == capture.container
end

local function judge_https(ev)
  for record in ev:each("event.https") do
    local host = record.host or ""
    local outside = match(host, [[(?i)\.amazonaws\.com(\.cn)?$]]) or (host:match("^%d+%.%d+%.%d+%.%d+$") and not match(host, PRIVATE))
    local capture = outside and record.container and capturing(ev, "443", record.workload)
    if capture and not is_proxys(record, capture) then
      ev:report("traffic-capture.port-not-ignored", "container", record.container,
        "container %s is refused at %s:443: its traffic is captured and the proxy does not accept it", record.container, host)
        :confidence "likely":cite(record):cite(capture)
        :candidate("probes.pre-initializing", { ["for"] = "the container may simply start before the proxy does" })
        :advise("start the container after the proxy is healthy (ECS: dependsOn HEALTHY; Istio: holdApplicationUntilProxyStarts)")
        :advise("or add 443 to " .. ignored_setting(capture)):reference(DOC)
    end
  end
end

-- ---- servers that speak first ----

local function envoy_minor(ev)
  local proxy = ev:first("proxy")
  return proxy and tonumber((proxy.version or ""):match("^1%.(%d+)")) or nil
end

-- Connections that the listener filters gave up waiting for.
local function waited(ev)
  for record in ev:each("stats") do
    local outbound = match(record.name or "", [[15001|outbound|egress|transparent]])
    if outbound and (ev:number(record, "value") or 0) > 0 then return record end
  end
  return nil
end

local function judge_greeting(ev, record, protocol)
  local port = GREETINGS[protocol]
  local capture, any = capturing(ev, port, record.workload)
  local proof, minor = waited(ev), envoy_minor(ev)
  if not capture and (any or not proof) then
    if not any then ask_for_capture(ev, port) end
    return
  end
  local old = capture and capture.by == "appmesh" and minor and minor < INSPECTOR_FIXED
  local finding = ev:report("traffic-capture.server-first-protocol", "address", protocol .. ":" .. port,
    "the client waits for the server's greeting (%s, port %s) while the captured connection waits in the proxy for the client to speak first",
    protocol, port):cite(record):cite(capture):cite(proof)
    :confidence(proof and "certain" or "likely")
    :advise(string.format("leave the port out of the capture: add %s to %s", port, capture and ignored_setting(capture) or "the ignored outbound ports"))
    :advise("or say that the port is plain TCP (Istio: name the Service port tcp-... or set appProtocol: tcp; App Mesh: image v1.15 or later and no backend of it)")
    :reference(DOC)
  if not proof and not old then
    finding:severity "warning":confidence "possible"
      :candidate("upstreams.connect-fail", { ["for"] = "the server itself may close before it greets (host blocked, too many connections)" })
    ask_for_capture(ev, port)
  end
end

local function run(ev)
  judge_mount(ev)
  judge_https(ev)
  for protocol in pairs(GREETINGS) do
    for record in ev:each("event." .. protocol) do judge_greeting(ev, record, protocol) end
  end
end

return debrief.check {
  id = "traffic-capture/symptoms",
  title = "do applications fail because traffic is captured that should not be?",
  applies = "mode != proxyless",
  tags = { "appmesh", "istio", "consul", "ecs", "kubernetes" },
  needs = { "text", "?capture", "?proxy", "?stats{listener.*downstream_pre_cx_timeout}" },
  events = {
    mount = { pattern = [[mount\.nfs4?: (?:mount system call failed: )?connection refused]], caseless = true },
    https = { pattern = [[(?:dial tcp |econnrefused |connect(?:ing)? to |https://)(?<host>[a-z0-9.-]+)(?::443|/|:? port 443)[^\n]{0,80}connection refused]], caseless = true },
    mysql = [[reading initial communication packet]],
    smtp = { pattern = [[(?:greeting never received|(?:timeout|timed out) (?:while )?(?:waiting for|reading) (?:the )?(?:initial )?(?:server )?greeting)]], caseless = true },
    ssh = { pattern = [[(?:timed out|timeout) during banner exchange]], caseless = true },
  },
  findings = {
    ["traffic-capture.port-not-ignored"] = { title = "traffic is captured that must not be", severity = "error" },
    ["traffic-capture.server-first-protocol"] = { title = "a server that speaks first, behind a proxy that waits for the client",
      severity = "error", explains = { "upstreams.connect-fail" } },
  },
  run = run,
}
